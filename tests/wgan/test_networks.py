import torch
from torch import nn

from wgan.networks import make_critic, make_generator


def test_layers_are_those_asked_for():
    random = torch.Generator().manual_seed(0)
    critic = make_critic(6, (5, 4), random)
    assert [type(layer) for layer in critic] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert [layer.out_features for layer in critic if isinstance(layer, nn.Linear)] == [5, 4, 1]
    assert type(make_generator(3, (), 6, True, random)[-1]) is nn.Tanh
    assert type(make_generator(3, (), 6, False, random)[-1]) is nn.Linear


def test_initialisation_is_torchs_law_and_leaves_the_global_state_alone():
    before = torch.get_rng_state()
    layer = make_critic(400, (300,), torch.Generator().manual_seed(1))[0]
    assert torch.equal(torch.get_rng_state(), before)
    for parameter in (layer.weight, layer.bias):
        assert parameter.abs().max() <= 1 / 20
    # 120,000 uniform entries: mean square (1/20)^2/3, relative deviation sqrt(4/5/120000)
    assert abs(layer.weight.square().mean().item() * 1200 - 1) < 0.015
    again = make_critic(400, (300,), torch.Generator().manual_seed(1))[0]
    assert torch.equal(layer.weight, again.weight)

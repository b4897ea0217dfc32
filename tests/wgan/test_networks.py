import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from divergences.dual import (
    ActiveCones,
    ConeCritic,
    GroupSort,
    MaxMin,
    WeightClipping,
    lipschitz_bound,
)
from wgan import ConfigError, TrainingConfig
from wgan.data.registry import make_data
from wgan.networks import (
    NETWORKS,
    build_critic,
    build_generator,
    make_critic,
    make_generator,
    mixes_samples,
)
from wgan.procedure import make_constraint
from wgan.state import TrainingState

PHOTOGRAPH = (3, 64, 64)


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def both(text, shape=PHOTOGRAPH, latent=100, seed=0):
    random = torch.Generator().manual_seed(seed)
    return build_generator(text, latent, shape, random), build_critic(text, shape, random)


@pytest.mark.parametrize(
    ("text", "latent", "generator", "critic"),
    [
        ("dcgan", 100, 3_576_704, 2_765_568),  # the figures of the authors' program
        # 100*64*16, three of 64*64*16, 64*3*16; 3*64*16, three, 64*16: nothing else
        ("dcgan-plain", 100, 102_400 + 3 * 65_536 + 3_072, 3_072 + 3 * 65_536 + 1_024),
        ("mlp", 100, 101 * 512 + 3 * 513 * 512 + 513 * 12_288, 12_289 * 512 + 3 * 513 * 512 + 513),
    ],
)
def test_the_papers_architectures_have_the_papers_sizes(text, latent, generator, critic):
    made = both(text, latent=latent)
    assert (parameters(made[0]), parameters(made[1])) == (generator, critic)


def test_residual_networks_have_the_sizes_of_their_programs():
    """Counted layer by layer from the programs of Gulrajani et al."""

    def block(a, b, *, up, norm=True, bias=False):
        between = b if up else a
        norms = 2 * a + 2 * between if norm else 0
        convolutions = 9 * a * between + between * bias + 9 * between * b + b
        return norms + convolutions + (a * b + b)

    pairs = [(512, 512), (512, 256), (256, 128), (128, 64)]
    generator = 129 * 16 * 512 + sum(block(a, b, up=True) for a, b in pairs) + 128 + 9 * 64 * 3 + 3
    pairs = [(64, 128), (128, 256), (256, 512), (512, 512)]
    critic = 9 * 3 * 64 + 64 + sum(block(a, b, up=False) for a, b in pairs) + 16 * 512 + 1
    made = both("resnet", latent=128)
    assert (parameters(made[0]), parameters(made[1])) == (generator, critic)
    first = 9 * 3 * 128 + 128 + 9 * 128 * 128 + 128 + 3 * 128 + 128
    plain = 2 * (9 * 128 * 128 + 128)
    critic = first + plain + (128 * 128 + 128) + 2 * plain + 129
    assert parameters(both("resnet", (3, 32, 32))[1]) == critic


@pytest.mark.parametrize(
    ("text", "shape"),
    [(f"dcgan{options}", (channels, size, size))
     for size in (16, 32, 64, 128) for channels in (1, 3)
     for options in (",filters=4", ",filters=4,batch_norm=no,extra_layers=1")]
    + [("dcgan-plain,filters=4", (3, 32, 32)), ("resnet,filters=4", (3, 64, 64)),
       ("resnet,filters=4,critic_norm=layer", (1, 32, 32)), ("mlp,widths=8", (3, 5, 7)),
       ("mlp,widths=", (2,)), ("plane", (2,)), ("small", (1, 8, 8)), ("digits", (1, 8, 8)),
       ("digits", (3, 28, 28)), ("digits,filters=2", (1, 12, 20))],
)  # fmt: skip
def test_networks_are_flat_outside(text, shape):
    generator, critic = both(text, shape, latent=5)
    d = torch.Size(shape).numel()
    for n in (1, 3):
        if n == 1 and mixes_samples(generator):
            generator.eval()
        y = generator(torch.randn(n, 5, generator=torch.Generator().manual_seed(1)))
        assert y.shape == (n, d)
        assert critic(y).shape == (n,)
        assert y.dtype == critic(y).dtype == torch.float32
    if len(shape) == 3:
        assert y.abs().max() <= 1


@pytest.mark.parametrize("text", [name for name in NETWORKS if name != "plane"])
def test_every_network_is_a_function_of_its_generator_alone(text):
    shape = (1, 8, 8) if text == "digits" else (3, 32, 32)
    torch.set_default_dtype(torch.float64)  # of no influence either
    try:
        state = torch.get_rng_state()
        first, again, other = both(text, shape), both(text, shape), both(text, shape, seed=1)
        assert torch.equal(torch.get_rng_state(), state)
    finally:
        torch.set_default_dtype(torch.float32)
    for one, two, three in zip(first, again, other, strict=True):
        assert list(one.state_dict()) == list(two.state_dict())
        for a, b in zip(one.state_dict().values(), two.state_dict().values(), strict=True):
            assert torch.equal(a, b)
            assert a.dtype in (torch.float32, torch.int64)
            assert a.isfinite().all()
        assert not all(torch.equal(a, b) for a, b in zip(one.parameters(), three.parameters(),
                                                         strict=True))  # fmt: skip


def test_first_values_of_dcgan_are_normal_of_deviation_002():
    for network in both("dcgan"):
        for layer in network:
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                mean, deviation, count = 0.0, layer.weight.std().item(), layer.weight.numel()
                assert abs(layer.weight.mean().item() - mean) < 5 * 0.02 / count**0.5
                assert abs(deviation / 0.02 - 1) < 5 / (2 * count) ** 0.5
            if isinstance(layer, nn.BatchNorm2d):
                assert abs(layer.weight.mean().item() - 1) < 5 * 0.02 / layer.num_features**0.5
                assert 0 < layer.weight.std().item() < 0.04
                assert not layer.bias.any()
                assert not layer.running_mean.any()
                assert (layer.running_var == 1).all()
                assert layer.num_batches_tracked == 0


def test_residual_networks_keep_the_size_of_their_signal():
    """He's gain in front of every ReLU: values neither die nor explode in eight blocks."""
    generator, critic = both("resnet,filters=16", latent=128)
    random = torch.Generator().manual_seed(3)
    y = generator(torch.randn(64, 128, generator=random))
    assert 0.1 < y.std() < 0.95
    assert 0.05 < critic(y).std() < 20


@pytest.mark.parametrize("text", ["dcgan,filters=4", "resnet,filters=4"])
def test_a_critic_says_whether_it_mixes_samples(text):
    _, critic = both(text)
    x = torch.rand(6, 3 * 64 * 64, generator=torch.Generator().manual_seed(2)) * 2 - 1
    alone = critic(x[:2])
    together = critic(x)[:2]
    assert critic.mixes_samples is (text.startswith("dcgan"))
    assert torch.allclose(alone, together, rtol=1e-4, atol=1e-6) is not critic.mixes_samples
    assert copy.deepcopy(critic).mixes_samples == critic.mixes_samples


def test_penalties_can_be_differentiated_twice():
    for text in ("resnet,filters=4", "dcgan,filters=4,batch_norm=no", "mlp,widths=8x8"):
        _, critic = both(text)
        x = torch.rand(2, 3 * 64 * 64, requires_grad=True)
        (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        slope.square().sum().backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in critic.parameters())


def test_a_perceptron_may_do_without_tanh_and_follows_the_data_by_default():
    random = torch.Generator().manual_seed(0)
    make = {text: build_generator(text, 3, (1, 4, 4), random)[-1]
            for text in ("mlp", "mlp,tanh=no", "mlp,tanh=yes")}  # fmt: skip
    assert [type(layer) for layer in make.values()] == [nn.Tanh, nn.Linear, nn.Tanh]
    assert type(build_generator("mlp", 3, (2,), random, bounded=False)[-1]) is nn.Linear


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        ("vgg", PHOTOGRAPH, "must be one of mlp, small, .*; got 'vgg'"),
        ("dcgan", (3, 72, 72), "square images of 16, 32, 64, 128 pixels; got images of 72x72"),
        ("dcgan", (3, 64, 32), "got images of 64x32"),
        ("resnet", (3, 16, 16), "square images of 32, 64 pixels"),
        ("dcgan", (2,), "got points with 2 coordinates"),
        ("digits", (1, 9, 9), "multiples of 4"),
        ("dcgan,filters=0", PHOTOGRAPH, "option filters must be positive; got 0"),
        ("dcgan,filters=many", PHOTOGRAPH, "option filters of network dcgan must be an integer"),
        ("dcgan,batch_norm=1", PHOTOGRAPH, "must be yes or no; got '1'"),
        ("dcgan,depth=3", PHOTOGRAPH, "network dcgan has no option depth; its options are filters"),
        ("mlp,widths=8x0", (2,), "widths must be positive"),
        *(
            (f"mlp,widths=8,gain={gain}", (2,), f"option gain must be positive and .*; got {gain}")
            for gain in ("0.0", "-1.0", "inf", "nan")
        ),
        ("mlp,widths=8xa", (2,), "widths of network mlp must be an integer; got 'a'"),
        ("resnet,critic_norm=batch", PHOTOGRAPH, "be one of layer, none; got 'batch'"),
        ("mlp,widths=8,widths=9", (2,), "gives the option widths twice"),
        ("orthogonal,widths=8x7", (2,), "option widths must be even; got .8, 7."),
        ("orthogonal,widths=16x12,group=8", (2,), "widths must be multiples of the group, 8; got"),
        ("orthogonal,widths=16,group=1", (2,), "option group must be at least 2; got 1"),
        ("orthogonal,widths=16,cones=-1", (2,), "option cones must be at least 0; got -1"),
        (
            "orthogonal,temperature=0",
            (2,),
            "option temperature must be positive and below a million; got 0",
        ),
        (
            "orthogonal,spread=nan",
            (2,),
            "option spread must be positive and below a million; got n",
        ),
        ("orthogonal,spread=1e300", (2,), "option spread must be positive and below a million"),
        ("mlp,widths=8x9" + "9" * 20, (2,), "option widths of network mlp must be an integer from"),
    ],
)
def test_what_a_network_is_not_for_is_refused(text, shape, message):
    with pytest.raises(ConfigError, match=message):
        build_critic(text, shape, torch.Generator())


def test_an_orthogonal_critic_sorts_in_groups_and_is_certified():
    points = torch.randn(40, 2, generator=torch.Generator().manual_seed(3))
    values = []
    for text, kinds in (("", [MaxMin, MaxMin]), (",group=8", [GroupSort, GroupSort])):
        critic = build_critic(
            f"orthogonal,widths=16x24{text}", (2,), torch.Generator().manual_seed(0)
        )
        sorts = [layer for layer in critic if isinstance(layer, GroupSort)]
        assert [type(layer) for layer in sorts] == kinds
        assert {layer.group_size for layer in sorts} == {8 if text else 2}
        assert lipschitz_bound(critic) == pytest.approx(1, abs=1e-5)
        values.append(critic(points))
        apart = torch.cdist(points, points)
        assert ((values[-1][:, None] - values[-1]).abs() <= apart * (1 + 1e-5) + 1e-6).all()
    assert not torch.allclose(*values)


def test_an_orthogonal_critic_may_end_in_cones():
    text, random = "orthogonal,widths=16,cones=12,spread=4", torch.Generator().manual_seed(0)
    critic = build_critic(text, (2,), random).eval()
    assert lipschitz_bound(critic) == pytest.approx(1, abs=1e-5)
    cones = critic[-1]
    assert isinstance(cones, ConeCritic)
    assert cones.anchors.shape == (12, 16)
    points = 3 * torch.randn(50, 2, generator=random)
    apart = torch.linalg.vector_norm(critic[:-1](points)[:, None] - cones.anchors, dim=2)
    expected = 0.02 * torch.logsumexp((cones.heights - apart) / 0.02, dim=1)
    assert torch.allclose(critic(points), expected, atol=1e-4)
    # sorting within 16 units keeps them at most as far apart as the points where cones start
    assert cones.anchors.norm(dim=1).mean().item() == pytest.approx(
        4 * (torch.pi / 2) ** 0.5, rel=0.5
    )


def test_cones_may_stand_in_the_space_of_the_data():
    """Without hidden layers the critic is the form of an optimal one, and no anchor can leave."""
    random = torch.Generator().manual_seed(0)
    critic = build_critic("orthogonal,widths=,cones=9,temperature=0.05", (3,), random)
    assert [type(layer) for layer in critic] == [ConeCritic]
    assert critic[0].anchors.shape == (9, 3)
    assert lipschitz_bound(critic) == 1
    apart = torch.linalg.vector_norm(critic[0].anchors - critic[0].anchors[4], dim=1)
    expected = 0.05 * torch.logsumexp(-apart / 0.05, dim=0)
    value = critic(critic[0].anchors[4:5].detach())
    assert value.item() == pytest.approx(expected.item(), abs=1e-3)


@pytest.mark.parametrize("make", [
    lambda text, random: build_generator(text, 50, (300,), random),
    lambda text, random: build_critic(text, (300,), random),
])  # fmt: skip
def test_the_gain_multiplies_the_first_weights_of_a_perceptron(make):
    """And no bias; He's keeps the size of signals through layers, where torch's shrinks them."""
    plain, wide = (
        make(f"mlp,widths=400x400x400{text}", torch.Generator().manual_seed(5))
        for text in ("", ",gain=2.449489742783178")
    )
    for (name, w), (_, v) in zip(plain.named_parameters(), wide.named_parameters(), strict=True):
        assert torch.equal(v, w * 2.449489742783178 if name.endswith("weight") else w)
    x = torch.randn(500, plain[0].in_features, generator=torch.Generator().manual_seed(6))
    sizes = [network[:6](x).square().mean().item() for network in (plain, wide)]
    assert sizes[1] == pytest.approx(2 * 0.5, rel=0.3)
    assert sizes[0] < sizes[1] / 50


def test_layers_are_those_asked_for():
    random = torch.Generator().manual_seed(0)
    critic = make_critic(6, (5, 4), random)
    types = [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear, nn.Flatten]
    assert [type(layer) for layer in critic] == types
    assert [layer.out_features for layer in critic if isinstance(layer, nn.Linear)] == [5, 4, 1]
    assert WeightClipping(0.5).lipschitz_bound(critic) > 0
    assert type(make_generator(3, (), 6, True, random)[-1]) is nn.Tanh
    assert type(make_generator(3, (), 6, False, random)[-1]) is nn.Linear


@pytest.mark.parametrize("widths", ["", "8"])
def test_cones_start_at_the_data_where_they_are_asked_to(widths):
    data = torch.randn(40, 2, generator=torch.Generator().manual_seed(3)) + 7

    def critic(start):
        text = f"orthogonal,widths={widths},cones=40,start={start}"
        return build_critic(text, (2,), torch.Generator().manual_seed(0), lambda n: data[:n])

    at_data, elsewhere = critic("data"), critic("normal")
    expected = at_data[:-1](data)
    assert torch.equal(at_data[-1].anchors, expected)
    assert not torch.equal(elsewhere[-1].anchors, expected)
    assert lipschitz_bound(at_data) <= 1 + 1e-6
    with pytest.raises(ConfigError, match="option start of network orthogonal must be one of"):
        critic("elsewhere")


def test_kinks_start_at_the_data_where_they_are_asked_to():
    data = torch.randn(30, 2, generator=torch.Generator().manual_seed(3)) + 7

    def critic(kinks):
        text = f"mlp,widths=30x8,kinks={kinks}"
        return build_critic(text, (2,), torch.Generator().manual_seed(0), lambda n: data[:n])

    at_data, elsewhere = critic("data"), critic("origin")
    torch.testing.assert_close(at_data[0](data).diagonal(), torch.zeros(30), atol=1e-5, rtol=0)
    assert elsewhere[0](data).diagonal().abs().min() > 0.01
    names = [name for name, value in at_data.state_dict().items()
             if not torch.equal(value, elsewhere.state_dict()[name])]  # fmt: skip
    assert names == ["0.bias"]
    with pytest.raises(ConfigError, match="option kinks of network mlp must be one of"):
        critic("elsewhere")


@pytest.mark.parametrize(
    ("algorithm", "critic", "first"),
    [
        ("wgan-orthogonal", "orthogonal,widths=,cones=100,start=data", ["anchors"]),
        ("wgan-gp", "mlp,widths=100,kinks=data", ["weight", "bias"]),
    ],
)
def test_a_run_starts_its_critic_at_training_samples(tmp_path, algorithm, critic, first):
    points = np.random.default_rng(0).normal([50.0, 30.0], 1.0, (200, 2))  # all on one side of 0
    np.save(tmp_path / "points.npy", points)
    options = {"data": str(tmp_path / "points.npy"), "latent": 2, "generator": "mlp,widths=8"}
    config = TrainingConfig(Path("unused"), algorithm=algorithm, critic=critic, **options)
    data = make_data(config.data, torch.device("cpu"))
    layers = [TrainingState.fresh(config, data, torch.device("cpu")).critic[0] for _ in range(2)]
    values = [getattr(layers[0], name).detach() for name in first]
    centre = data.batch(100, torch.Generator().manual_seed(0)).mean(dim=0)
    assert torch.linalg.vector_norm(centre) > 40
    if algorithm == "wgan-orthogonal":
        off = torch.cdist(values[0], centre[None])
    else:  # the line on which a unit turns on
        weight, bias = values
        off = (weight @ centre + bias).abs() / torch.linalg.vector_norm(weight, dim=1)
    assert (off <= 6).all()
    for name, value in zip(first, values, strict=True):
        assert torch.equal(getattr(layers[1], name), value)


def test_a_rate_of_places_is_not_negative():
    for wrong in ("-0.1", "inf"):
        with pytest.raises(ConfigError, match="option anchor_rate must be at least 0 and bel"):
            build_critic(f"orthogonal,cones=4,anchor_rate={wrong}", (2,), torch.Generator())


@pytest.mark.parametrize("bounded", [False, True])
def test_a_skip_connection_adds_the_noise_before_the_tanh(bounded):
    plain, moved = (
        make_generator(3, (5,), 3, bounded, torch.Generator().manual_seed(0), skip=skip)
        for skip in (0.0, 2.5)
    )
    z = torch.randn(7, 3, generator=torch.Generator().manual_seed(1))
    expected = plain[:3](z) + 2.5 * z
    torch.testing.assert_close(moved(z), expected.tanh() if bounded else expected)
    ((moved(z) - 1).square().sum()).backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in moved.parameters())


def test_a_skip_connection_wants_noise_of_the_datas_dimension():
    def generator(text, latent):
        return build_generator(text, latent, (2,), torch.Generator(), bounded=False)

    with pytest.raises(ConfigError, match=r"option skip must be 0 unless the latent dimension is "
                       r"that of the data, 2; got '1.0 with a latent of 5'"):  # fmt: skip
        generator("mlp,widths=8,skip=1", 5)
    assert generator("mlp,widths=8,skip=1", 2)(torch.zeros(1, 2)).shape == (1, 2)
    with pytest.raises(ConfigError, match="option skip must be at least 0 and below 1000"):
        generator("mlp,skip=-1", 2)


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


def test_hidden_cones_are_raised_where_they_live_among_the_data():
    def constraint(critic):
        config = TrainingConfig(Path("unused"), algorithm="wgan-orthogonal", critic=critic)
        return make_constraint(config)

    assert isinstance(constraint("orthogonal,widths=,cones=8"), ActiveCones)
    assert constraint("orthogonal,widths=16,cones=8") is None
    assert constraint("orthogonal,widths=16") is None

"""A generator step against the algorithms written out in plain torch."""

import copy
import math

import pytest
import torch

from wgan import ConfigError, TrainingConfig
from wgan.data import make_data
from wgan.procedure import Procedure
from wgan.state import TrainingState
from wgan.step import train_step

CPU = torch.device("cpu")
SMALL = {"latent": 5, "generator": "mlp,widths=12x10", "critic": "mlp,widths=14x9"}


def prepare(tmp_path, **options):
    config = TrainingConfig(out=tmp_path, **{**SMALL, **options})
    data = make_data(config.data, CPU)
    state = TrainingState.fresh(config, data, CPU)
    return data, state, Procedure.of(config, state.penalty_random)


def precise(state):
    """The networks in float64, where a difference of formulas cannot hide behind rounding."""
    state.critic.double()  # without a hook, beside which critics are evaluated in another way
    for network in (state.generator, state.averaged):
        network.double().register_forward_pre_hook(lambda _, inputs: inputs[0].double())
    next_batch = state.batches.next
    state.batches.next = lambda: next_batch().double()
    f, g = copy.deepcopy(state.critic), copy.deepcopy(state.generator)
    f.register_forward_pre_hook(lambda _, inputs: inputs[0].double())
    return f, g


def rmsprop(parameters, gradients, averages, alpha):
    """A descent step as torch documents it."""
    for w, gradient, average in zip(parameters, gradients, averages, strict=True):
        average.mul_(0.99).addcmul_(gradient, gradient, value=0.01)
        w.sub_(alpha * gradient / (average.sqrt() + 1e-8))


def zeros(network):
    return [torch.zeros_like(w) for w in network.parameters()]


def algorithm_1(f, g, x_batches, z_batches, z_last, squares, alpha, c):
    """One round of the algorithm on lists of parameters."""
    w, theta = list(f.parameters()), list(g.parameters())
    for x, z in zip(x_batches, z_batches, strict=True):
        objective = f(x).mean() - f(g(z)).mean()
        gradients = torch.autograd.grad(objective, w)
        with torch.no_grad():
            rmsprop(w, [-gradient for gradient in gradients], squares["critic"], alpha)
            for entry in w:
                entry.clamp_(-c, c)
    gradients = torch.autograd.grad(-f(g(z_last)).mean(), theta)
    with torch.no_grad():
        rmsprop(theta, gradients, squares["generator"], alpha)
    return objective.item()


def assert_close(ours, theirs):
    for mine, literal in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, literal, rtol=1e-9, atol=1e-12)


def noise_stream(state):
    """A copy of the random stream of the noise."""
    noises = torch.Generator()
    noises.set_state(state.noise_random.get_state())
    return noises


@pytest.mark.parametrize("data_name", ["ring", "digits"])
@pytest.mark.parametrize("critic", ["mlp,widths=14x9", "mlp,widths=144x256x512"])
def test_steps_are_algorithm_1_to_the_last_digits(tmp_path, data_name, critic):
    data, state, procedure = prepare(tmp_path, data=data_name, critic=critic, seed=11)
    f, g = precise(state)
    squares = {"critic": zeros(f), "generator": zeros(g)}
    reals, noises = data.stream(64, 11), noise_stream(state)
    for _ in range(4):
        estimate = train_step(state, procedure)
        x_batches = [reals.next() for _ in range(5)]
        z_batches = [torch.randn(64, 5, generator=noises) for _ in range(5)]
        z_last = torch.randn(64, 5, generator=noises)
        expected = algorithm_1(f, g, x_batches, z_batches, z_last, squares, alpha=5e-5, c=0.01)
        assert estimate.item() == pytest.approx(expected, rel=1e-9, abs=1e-13)
    assert state.step == 4
    assert_close(state.critic, f)
    assert_close(state.generator, g)


class AuthorsProgram:
    """What the authors' program did, as the paper's readers describe it; the critic is minus f."""

    def __init__(self, count, minus_f, g, reals, noises, latent):
        self.batches_in_epoch, self.minus_f, self.g = -(-count // 64), minus_f, g
        self.reals, self.noises, self.latent = reals, noises, latent
        self.squares = {"critic": zeros(minus_f), "generator": zeros(g)}
        self.generator_steps, self.epoch = 0, iter(())
        self.counts = []

    def new_epoch(self):
        self.epoch = iter([self.reals.next() for _ in range(self.batches_in_epoch)])

    def train(self, generator_steps):
        """Epoch after epoch until so many generator steps are done; the losses printed."""
        printed = []
        while len(printed) < generator_steps:
            self.new_epoch()
            left = self.batches_in_epoch
            while left > 0 and len(printed) < generator_steps:
                done = self.generator_steps
                goal = 100 if done < 25 or done % 500 == 0 else 5
                count = min(goal, left)
                self.counts.append(count)
                left -= count
                for _ in range(count):
                    loss = self.critic_step(next(self.epoch))
                printed.append(loss)
                self.generator_step()
        return printed

    def critic_step(self, x):
        w = list(self.minus_f.parameters())
        for entry in w:
            entry.data.clamp_(-0.01, 0.01)
        with torch.no_grad():
            fake = self.g(torch.randn(64, self.latent, generator=self.noises))
        loss = self.minus_f(x).mean() - self.minus_f(fake).mean()
        gradients = torch.autograd.grad(loss, w)
        with torch.no_grad():
            rmsprop(w, gradients, self.squares["critic"], 5e-5)
        return loss.item()

    def generator_step(self):
        theta = list(self.g.parameters())
        loss = self.minus_f(self.g(torch.randn(64, self.latent, generator=self.noises))).mean()
        gradients = torch.autograd.grad(loss, theta)
        with torch.no_grad():
            rmsprop(theta, gradients, self.squares["generator"], 5e-5)
        self.generator_steps += 1


class Negative(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return -self.network(x)


def test_wgan_2017_is_the_authors_program_to_the_last_digits(tmp_path):
    data, state, procedure = prepare(tmp_path, data="digits", algorithm="wgan-2017", seed=3)
    f, g = precise(state)
    reals = data.stream(64, 3, short_last=True)
    program = AuthorsProgram(data.count, Negative(f), g, reals, noise_stream(state), latent=5)
    printed = program.train(31)
    for loss in printed:  # the estimate is minus the printed loss
        assert train_step(state, procedure).item() == pytest.approx(-loss, rel=1e-9, abs=1e-13)
    # 22 batches end an epoch before a long critic phase is over
    assert program.counts == [22] * 25 + [5, 5, 5, 5, 2, 5]
    assert_close(state.critic, program.minus_f.network)
    assert_close(state.generator, program.g)
    # clipping came first: the last step left the box, by one step at most
    largest = max(w.abs().max().item() for w in state.critic.parameters())
    assert 0.01 < largest < 0.01 + 10 * 5e-5


def adam(parameters, gradients, moments, rate, beta1, beta2, step):
    """A descent step as Kingma and Ba wrote it, with torch's place of epsilon."""
    for w, gradient, (first, second) in zip(parameters, gradients, moments, strict=True):
        first.mul_(beta1).add_((1 - beta1) * gradient)
        second.mul_(beta2).add_((1 - beta2) * gradient**2)
        unbiased = second / (1 - beta2**step)
        w.sub_(rate * first / (1 - beta1**step) / (unbiased.sqrt() + 1e-8))


def penalised(name, f, x, y, t):
    """Minus the objective, plus ten times the squared excess of the slope between the samples."""
    t = t[:, None]
    between = (t * x + (1 - t) * y).requires_grad_()
    (slope,) = torch.autograd.grad(f(between).sum(), between, create_graph=True)
    excess = slope.norm(dim=1) - 1
    if name == "wgan-lp":
        excess = excess.clamp(min=0)
    return f(y).mean() - f(x).mean() + 10 * (excess**2).mean()


def standard_gan(f, x, y):
    return -(f(x).sigmoid().log().mean() + (1 - f(y).sigmoid()).log().mean()) / 2


@pytest.mark.parametrize("name", ["wgan-gp", "wgan-lp", "gan", "saturating gan"])
def test_the_successors_are_their_formulas_to_the_last_digits(tmp_path, name):
    saturating = name == "saturating gan"
    algorithm = "gan" if saturating else name
    rate, beta1, beta2, count = {"gan": (2e-4, 0.5, 0.999, 1)}.get(algorithm, (1e-4, 0.0, 0.9, 5))
    data, state, procedure = prepare(tmp_path, data="ring", algorithm=algorithm, seed=5,
                                     saturating=saturating)  # fmt: skip
    f, g = precise(state)
    reals, noises, places = data.stream(64, 5), noise_stream(state), torch.Generator()
    places.set_state(state.penalty_random.get_state())
    moments = [[(torch.zeros_like(w), torch.zeros_like(w)) for w in n.parameters()] for n in (f, g)]
    for k in range(4):
        estimate = train_step(state, procedure).item()
        for j in range(count):
            x = reals.next().double()
            with torch.no_grad():
                y = g(torch.randn(64, 5, generator=noises))
            if algorithm == "gan":
                loss = standard_gan(f, x, y)
                expected = math.log(2) - loss.item()
            else:
                t = torch.rand(64, generator=places, dtype=torch.float64)
                loss = penalised(name, f, x, y, t)
                expected = (f(x).mean() - f(y).mean()).item()
            gradients = torch.autograd.grad(
                loss, list(f.parameters()), allow_unused=True, materialize_grads=True
            )
            with torch.no_grad():
                adam(f.parameters(), gradients, moments[0], rate, beta1, beta2, count * k + j + 1)
        assert estimate == pytest.approx(expected, rel=1e-9, abs=1e-13)
        at_y = f(g(torch.randn(64, 5, generator=noises)))
        loss = -at_y.mean()
        if algorithm == "gan":
            d = at_y.sigmoid()
            loss = (1 - d).log().mean() if saturating else -d.log().mean()
        gradients = torch.autograd.grad(loss, list(g.parameters()))
        with torch.no_grad():
            adam(g.parameters(), gradients, moments[1], rate, beta1, beta2, k + 1)
    assert_close(state.critic, f)
    assert_close(state.generator, g)


@pytest.mark.parametrize("name", ["wgan-sphere", "wgan-sn"])
def test_after_a_step_the_critic_is_where_its_constraint_wants_it(tmp_path, name):
    _, state, procedure = prepare(tmp_path, data="ring", algorithm=name, batch_size=8)
    for _ in range(3):
        train_step(state, procedure)
    weights = [layer.weight for layer in state.critic if isinstance(layer, torch.nn.Linear)]
    norms = {"wgan-sphere": torch.linalg.vector_norm, "wgan-sn": torch.linalg.matrix_norm}
    order = {"wgan-sphere": {}, "wgan-sn": {"ord": 2}}[name]
    for weight in weights:
        assert norms[name](weight, **order).item() == pytest.approx(1, rel=0.01)
    bound, reason = procedure.lipschitz_bound(state.critic)
    assert reason == ""
    assert bound <= 1.0001


def test_a_critic_with_batch_norm_sees_the_two_batches_apart(tmp_path):
    _, state, procedure = prepare(tmp_path, data="ring", batch_size=8, critic_steps=1)
    sizes = []
    state.critic.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    train_step(state, procedure)
    assert sizes == [16, 8]
    state.critic.mixes_samples = True
    train_step(state, procedure)
    assert sizes[2:] == [8, 8, 8]


def test_products_in_bfloat16_leave_everything_else_in_float32(tmp_path):
    _, state, procedure = prepare(tmp_path, data="ring", algorithm="wgan-gp", precision="bfloat16",
                                  batch_size=8)  # fmt: skip
    seen = []
    state.critic[0].register_forward_hook(lambda _, inputs, output: seen.append(output.dtype))
    estimate = train_step(state, procedure)
    assert seen.count(torch.bfloat16) == 6  # five critic steps and the generator's
    assert seen.count(torch.float32) == 5  # the penalty of each critic step
    assert estimate.dtype == torch.float32
    assert estimate.isfinite()
    assert {tensor.dtype for name, tensor in state.tensors().items() if "batches" not in name
            and "random" not in name} == {torch.float32, torch.float64}  # fmt: skip


def test_wgan_2017_wants_data_with_an_end(tmp_path):
    with pytest.raises(ConfigError, match="goes through its data in epochs"):
        prepare(tmp_path, data="ring", algorithm="wgan-2017")


@pytest.mark.parametrize(
    ("step", "count"), [(0, 100), (24, 100), (25, 5), (499, 5), (500, 100), (501, 5), (1000, 100)]
)
def test_long_critic_phases_come_where_the_authors_had_them(tmp_path, step, count):
    _, _, procedure = prepare(tmp_path, data="digits", algorithm="wgan-2017")
    assert procedure.critic_steps_before(step) == count
    _, _, procedure = prepare(tmp_path, data="digits")
    assert procedure.critic_steps_before(step) == 5


def test_the_defaults_are_the_papers():
    config = TrainingConfig(out="unused")
    assert (config.learning_rate, config.clip) == (5e-5, 0.01)
    assert (config.batch_size, config.critic_steps) == (64, 5)


def test_every_batch_is_fresh(tmp_path):
    """Two critic steps and a generator step on one network see three different noises."""
    _, state, procedure = prepare(tmp_path, data="ring", batch_size=4, critic_steps=2)
    seen = []
    state.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    train_step(state, procedure)
    train_step(state, procedure)
    assert [len(z) for z in seen] == [8, 4, 8, 4]  # for two critic steps in one call
    assert len({tuple(z.tolist()) for z in torch.cat(seen)}) == 24


@pytest.mark.parametrize(("batch_size", "steps", "sizes"), [
    (100, 7, [500, 200]), (600, 2, [600, 600]), (64, 5, [320])
])  # fmt: skip
def test_a_generator_is_called_for_several_critic_steps_at_once(tmp_path, batch_size, steps, sizes):
    _, state, procedure = prepare(tmp_path, data="ring", batch_size=batch_size, critic_steps=steps)
    noises, seen = noise_stream(state), []
    state.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    made = list(procedure.generate_for_critic(state.generator, state.noise, steps))
    assert [len(z) for z in seen] == sizes
    expected = torch.cat([torch.randn(batch_size, 5, generator=noises) for _ in range(steps)])
    assert torch.equal(torch.cat(seen), expected)
    assert [len(y) for y in made] == [batch_size] * steps
    assert not any(y.requires_grad for y in made)


def test_no_noise_is_drawn_for_critic_steps_that_do_not_come(tmp_path):
    """Where an epoch may end the critic's loop; and batch norm sees one batch at a time."""
    _, state, procedure = prepare(tmp_path, data="digits", algorithm="wgan-2017", batch_size=8)
    noises = noise_stream(state)
    next(procedure.generate_for_critic(state.generator, state.noise, 5))
    torch.randn(8, 5, generator=noises)
    assert torch.equal(state.noise_random.get_state(), noises.get_state())
    _, state, procedure = prepare(tmp_path, data="digits", generator="mlp", batch_size=8)
    state.generator.insert(1, torch.nn.BatchNorm1d(512))
    sizes = []
    state.generator.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    list(procedure.generate_for_critic(state.generator, state.noise, 3))
    assert sizes == [8, 8, 8]


def test_the_critic_is_clipped_and_its_gradients_are_its_own(tmp_path):
    _, state, procedure = prepare(tmp_path, data="ring", batch_size=4, critic_steps=1)
    train_step(state, procedure)
    assert max(w.abs().max().item() for w in state.critic.parameters()) <= 0.01
    before = [w.grad.clone() for w in state.critic.parameters()]
    frozen = [w.detach().clone() for w in state.critic.parameters()]
    y = state.generator(state.noise(4))
    torch.autograd.backward(
        procedure.generator_loss(state.critic, y), inputs=list(state.generator.parameters())
    )
    for w, gradient, value in zip(state.critic.parameters(), before, frozen, strict=True):
        assert torch.equal(w.grad, gradient)
        assert torch.equal(w, value)


def test_only_the_critic_moves_in_its_steps_and_only_the_generator_in_its_own(tmp_path):
    _, state, procedure = prepare(tmp_path, data="ring", batch_size=4, critic_steps=3)
    critic_step, moves = state.critic_optimizer.step, []

    def values(network):
        return torch.cat([w.detach().flatten() for w in network.parameters()])

    def watched(optimizer, name):
        plain = optimizer.step

        def step():
            before = values(state.critic), values(state.generator)
            plain()
            after = values(state.critic), values(state.generator)
            moves.append(
                (name, *(not torch.equal(a, b) for a, b in zip(before, after, strict=True)))
            )

        return step

    state.critic_optimizer.step = watched(state.critic_optimizer, "critic")
    state.generator_optimizer.step = watched(state.generator_optimizer, "generator")
    train_step(state, procedure)
    assert moves == [("critic", True, False)] * 3 + [("generator", False, True)]
    assert critic_step is not state.critic_optimizer.step


def test_a_critic_step_raises_its_estimate_and_a_generator_step_lowers_it(tmp_path):
    """The signs, on one batch: ascent for the critic, descent for the generator."""
    _, state, procedure = prepare(tmp_path, data="ring", learning_rate=1e-4, clip=1.0)
    x, z = state.batches.next(), state.noise(64)

    def estimate():
        with torch.no_grad():
            return procedure.objective(state.critic, x, state.generator(z)).item()

    before = estimate()
    for _ in range(5):
        with torch.no_grad():
            y = state.generator(z)
        procedure.critic_step(state.critic, state.critic_optimizer, x, y)
    risen = estimate()
    assert risen > before
    for _ in range(5):
        state.generator_optimizer.zero_grad()
        procedure.generator_loss(state.critic, state.generator(z)).backward()
        state.generator_optimizer.step()
    assert estimate() < risen


@pytest.mark.parametrize(
    ("decay", "left"),
    [("linear", [1, 0.75, 0.5, 0.25, 0, 0]),
     ("cosine", [1, (2 + 2**0.5) / 4, 0.5, (2 - 2**0.5) / 4, 0, 0])],
)  # fmt: skip
def test_the_learning_rate_falls_to_zero(tmp_path, decay, left):
    """A generator without memory of the past moves by the rate, and at its end not at all."""
    options = {"learning_rate": 0.1, "decay_steps": 4, "decay": decay}
    _, state, procedure = prepare(tmp_path, data="ring", algorithm="wgan-gp", **options)
    for step in range(6):
        train_step(state, procedure)
        for optimizer in (state.generator_optimizer, state.critic_optimizer):
            rate = optimizer.param_groups[0]["lr"]
            assert rate == pytest.approx(0.1 * left[step], rel=1e-12, abs=0)
        if step == 3:
            former = [w.detach().clone() for w in state.generator.parameters()]
    for w, old in zip(state.generator.parameters(), former, strict=True):
        assert torch.equal(w, old)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
@pytest.mark.parametrize("factor", [0, 0.1, 3])
def test_places_of_cones_have_a_rate_of_their_own(tmp_path, optimizer, factor):
    """The first step of both optimisers is the rate times a power of ten, whatever the gradient."""
    critic = f"orthogonal,widths=,cones=9,temperature=0.5,start=data,anchor_rate={factor}"
    options = {"critic": critic, "algorithm": "wgan-orthogonal", "optimizer": optimizer}
    options |= {"data": "ring", "learning_rate": 1e-3, "critic_steps": 1, "decay_steps": 2}
    options |= {"critic_learning_rate": 1e-4}
    _, state, procedure = prepare(tmp_path, **options)
    first = {"adam": 1.0, "rmsprop": 10.0}[optimizer]  # 1 / sqrt(1 - .99)
    for left in (1, 0.5, 0):
        cones = state.critic[-1]
        anchors, heights = cones.anchors.detach().clone(), cones.heights.detach().clone()
        train_step(state, procedure)
        moved = (cones.anchors.detach() - anchors).abs().max().item()
        raised = (cones.heights.detach() - heights).abs().max().item()
        if left == 1:
            assert raised == pytest.approx(first * 1e-4, rel=1e-3)
            assert moved == pytest.approx(first * 1e-4 * factor, rel=0.02, abs=1e-30)
        rates = [group["lr"] for group in state.critic_optimizer.param_groups]
        assert rates == pytest.approx([1e-4 * factor * left, 1e-4 * left], rel=1e-12, abs=0)
    assert (moved, raised) == (0, 0)
    assert state.generator_optimizer.param_groups[0]["lr"] == 0


@pytest.mark.parametrize("decays", [True, False])
def test_the_critic_has_a_rate_of_its_own(tmp_path, decays):
    """It falls as the generator's does, or stays; without one it is the generator's."""
    options = {"learning_rate": 0.1, "critic_learning_rate": 0.4, "decay_steps": 4}
    options |= {"critic_decays": decays, "data": "ring", "algorithm": "wgan-gp"}
    _, state, procedure = prepare(tmp_path, **options)
    for left in (1, 0.75, 0.5, 0.25, 0):
        former = [w.detach().clone() for w in state.critic.parameters()]
        train_step(state, procedure)
        rates = [
            o.param_groups[0]["lr"] for o in (state.generator_optimizer, state.critic_optimizer)
        ]
        assert rates == pytest.approx([0.1 * left, 0.4 * (left if decays else 1)], rel=1e-12, abs=0)
    moved = [
        not torch.equal(w, old) for w, old in zip(state.critic.parameters(), former, strict=True)
    ]
    assert any(moved) is not decays
    assert TrainingConfig(tmp_path, learning_rate=0.3).learning_rates == (0.3, 0.3)


def test_the_averaged_generator_is_the_average(tmp_path):
    _, state, procedure = prepare(tmp_path, data="ring", average_decay=0.9)
    average = [w.detach().clone() for w in state.generator.parameters()]
    for _ in range(3):
        train_step(state, procedure)
        for mine, w in zip(average, state.generator.parameters(), strict=True):
            mine.mul_(0.9).add_(0.1 * w.detach())
    for mine, ours in zip(average, state.averaged.parameters(), strict=True):
        torch.testing.assert_close(mine, ours)
        assert not ours.requires_grad

import math

import numpy as np
import pytest
import torch

import divergences.dual
from divergences.dual import dual_objective, model_term


def first_coordinate(points):
    return points[:, 0]


def test_all_is_exact():
    public = {name for name in vars(divergences.dual) if not name.startswith("_")}
    modules = {
        name for name in public if type(getattr(divergences.dual, name)).__name__ == "module"
    }
    assert sorted(divergences.dual.__all__) == sorted(public - modules)


def test_sign_is_data_minus_model():
    x, y = torch.full((3, 2), 5.0), torch.full((4, 2), 2.0)
    assert dual_objective(first_coordinate, x, y).item() == 3.0
    assert dual_objective(first_coordinate, y, x).item() == -3.0
    assert model_term(first_coordinate, y).item() == -2.0


def test_weights_are_those_of_the_two_sums():
    x = torch.tensor([[1.0], [2.0], [4.0]], dtype=torch.float64)
    y = torch.tensor([[8.0], [16.0]], dtype=torch.float64)
    a = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    b = torch.tensor([0.75, 0.25], dtype=torch.float64)
    value = dual_objective(first_coordinate, x, y, a, b)
    assert value.item() == (0.5 + 0.5 + 1.0) - (6.0 + 4.0)
    assert model_term(first_coordinate, y, b).item() == -10.0


def test_equal_weights_are_the_default():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(7, 3, dtype=torch.float64, generator=generator)
    y = torch.randn(5, 3, dtype=torch.float64, generator=generator)
    a, b = (
        torch.full((7,), 1 / 7, dtype=torch.float64),
        torch.full((5,), 1 / 5, dtype=torch.float64),
    )
    plain = dual_objective(lambda z: z.sin().sum(1), x, y)
    weighted = dual_objective(lambda z: z.sin().sum(1), x, y, a, b)
    assert math.isclose(plain.item(), weighted.item(), rel_tol=1e-14)


@pytest.mark.parametrize("column", [True, False])
def test_critic_may_return_a_column_or_a_vector(column):
    x, y = torch.tensor([1.0, 3.0]), torch.tensor([0.0])
    value = dual_objective(lambda z: z if column else z[:, 0], x, y)
    assert value.shape == ()
    assert value.item() == 2.0


def test_gradients_are_exact():
    """d/dx_i is f'(x_i)/n and d/dy_j is -f'(y_j)/m; in the weights they are f and -f."""
    x = torch.tensor([[0.3], [1.7]], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([[-0.4], [2.0], [0.1]], dtype=torch.float64, requires_grad=True)
    a = torch.tensor([0.25, 0.75], dtype=torch.float64, requires_grad=True)
    dual_objective(lambda z: z[:, 0] ** 3, x, y).backward()
    torch.testing.assert_close(x.grad, 3 * x.detach() ** 2 / 2, rtol=1e-14, atol=0)
    torch.testing.assert_close(y.grad, -3 * y.detach() ** 2 / 3, rtol=1e-14, atol=0)
    dual_objective(lambda z: z[:, 0] ** 3, x.detach(), y.detach(), a).backward()
    torch.testing.assert_close(a.grad, x.detach()[:, 0] ** 3, rtol=1e-14, atol=0)


def test_model_term_has_the_gradient_of_the_objective():
    shift = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    x, z = torch.randn(6, 2, dtype=torch.float64), torch.randn(4, 2, dtype=torch.float64)

    def critic(points):
        return torch.tanh(points).sum(1)

    (whole,) = torch.autograd.grad(dual_objective(critic, x, z + shift), shift)
    (part,) = torch.autograd.grad(model_term(critic, z + shift), shift)
    torch.testing.assert_close(part, whole, rtol=0, atol=0)


def test_entries_are_never_read():
    """On the meta device there are none: the call goes through and has a shape."""
    critic = torch.nn.Linear(3, 1, device="meta")
    x, y = torch.empty(4, 3, device="meta"), torch.empty(5, 3, device="meta")
    assert dual_objective(critic, x, y, torch.empty(4, device="meta")).shape == ()
    assert math.isnan(
        dual_objective(first_coordinate, torch.tensor([[math.nan]]), torch.ones(1, 1))
    )


@pytest.mark.parametrize(
    ("error", "words", "arguments"),
    [
        (TypeError, "x must be a floating torch tensor", (np.ones((2, 2)), torch.ones(2, 2))),
        (TypeError, "y must be a floating torch tensor", (torch.ones(2, 2), [[1.0, 2.0]])),
        (TypeError, "x must be a floating", (torch.ones(2, 2, dtype=torch.long), torch.ones(2, 2))),
        (ValueError, "x must hold at least one", (torch.ones(0, 2), torch.ones(2, 2))),
        (ValueError, "y must hold at least one", (torch.ones(2, 2), torch.tensor(1.0))),
        (ValueError, "x and y must hold points of one", (torch.ones(2, 2), torch.ones(2, 3))),
        (ValueError, "x_weights must have shape",
         (torch.ones(2, 2), torch.ones(3, 2), torch.ones(3))),
        (ValueError, "y_weights must have shape",
         (torch.ones(2, 2), torch.ones(3, 2), None, torch.ones(3, 1))),
        (TypeError, "y_weights must be a floating",
         (torch.ones(2, 2), torch.ones(2, 2), None, [0.5, 0.5])),
    ],
)  # fmt: skip
def test_misfits_are_refused(error, words, arguments):
    with pytest.raises(error, match=words):
        dual_objective(first_coordinate, *arguments)


def test_a_critic_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="critic must map the 3 samples y"):
        dual_objective(lambda z: z if len(z) == 3 else z[:, 0], torch.ones(2, 2), torch.ones(3, 2))

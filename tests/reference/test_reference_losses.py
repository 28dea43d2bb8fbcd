"""Every loss and its gradient against torch's, kinks, clamps and overflows included."""

import itertools

import numpy as np
import pytest
import torch

from labreport.reference.losses.all_losses import LOSSES

ANY_OUTPUT = [0.0, -0.0, 1.0, -1.0, 3.0, -3.0, 6.0, -6.0, 0.3, -0.7, 20.0, -20.0, 50.0, -50.0]
PROBABILITIES = [0.0, 1e-320, 1e-200, 1e-44, 1e-13, 1e-12, 0.2, 0.5, 1 - 1e-12, 1 - 1e-16, 1.0]
TARGETS = {
    "bce": [0.0, 0.3, 0.5, 1.0],
    "bce_with_logits": [0.0, 0.3, 1.0],
    "kl_div": [0.0, 0.3, 1.0],
    "cross_entropy": [0.0, 0.3, 1.0, 2.0],
    "poisson_nll": [0.0, 1.0, 2.5, 7.0],
    "soft_margin": [-1.0, 1.0, 0.0, 0.5],
    "multilabel_soft_margin": [0.0, 1.0, 0.3],
    "hinge_embedding": [-1.0, 1.0, 0.0, 0.5],
}


def grid(name):
    """Every output with every target, as a batch of rows of two units."""
    outputs = PROBABILITIES if name == "bce" else ANY_OUTPUT
    pairs = list(itertools.product(outputs, TARGETS.get(name, ANY_OUTPUT)))
    array = np.array(pairs)
    return array[:, 0].reshape(-1, 2).copy(), array[:, 1].reshape(-1, 2).copy()


def in_torch(reference, name, output, target):
    leaf = torch.tensor(output, requires_grad=True)
    value = reference.losses[name](leaf, torch.tensor(target))
    value.backward()
    return value.item(), leaf.grad.numpy()


def test_the_vocabulary_is_that_of_the_lab_file(reference):
    assert list(LOSSES) == list(reference.losses)


@pytest.mark.parametrize("name", LOSSES)
def test_value_and_gradient_agree_with_torch_on_the_grid(reference, name):
    output, target = grid(name)
    expected_value, expected_gradient = in_torch(reference, name, output, target)
    assert LOSSES[name].value(output, target) == pytest.approx(expected_value, rel=1e-13)
    gradient = LOSSES[name].gradient(output, target)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_value_agrees_with_torch_one_row_at_a_time(reference, name):
    # On the grid as a whole one large term would hide an error in all the small ones.
    for output, target in zip(*grid(name), strict=True):
        expected_value, expected_gradient = in_torch(reference, name, output[None], target[None])
        value = LOSSES[name].value(output[None], target[None])
        assert value == pytest.approx(expected_value, rel=1e-13, abs=1e-15)
        gradient = LOSSES[name].gradient(output[None], target[None])
        np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("shape", [(1, 1), (5, 1), (1, 4), (3, 4)])
def test_value_and_gradient_agree_with_torch_on_any_shape(reference, name, shape):
    random = np.random.default_rng(4)
    output = random.uniform(size=shape) if name == "bce" else random.normal(size=shape)
    target = reference.draw_targets(name, shape, random)
    expected_value, expected_gradient = in_torch(reference, name, output, target)
    assert LOSSES[name].value(output, target) == pytest.approx(expected_value, rel=1e-13)
    np.testing.assert_allclose(
        LOSSES[name].gradient(output, target), expected_gradient, rtol=1e-13, atol=1e-16
    )


@pytest.mark.parametrize("name", LOSSES)
def test_single_precision_stays_single(reference, name):
    random = np.random.default_rng(5)
    output = random.uniform(0.1, 0.9, size=(3, 4)).astype(np.float32)
    target = reference.draw_targets(name, (3, 4), random).astype(np.float32)
    gradient = LOSSES[name].gradient(output, target)
    assert gradient.dtype == np.float32
    expected_value, expected_gradient = in_torch(reference, name, output, target)
    assert LOSSES[name].value(output, target) == pytest.approx(expected_value, rel=2e-6)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-5, atol=1e-7)
    if LOSSES[name].elementwise is not None:
        assert LOSSES[name].elementwise(output, target).dtype == np.float32


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "cross_entropy"])
def test_the_terms_add_up_to_the_value(name):
    output, target = grid(name)
    loss = LOSSES[name]
    terms = loss.elementwise(output, target)
    assert terms.shape == output.shape
    divisor = {"elements": output.size, "rows": len(output)}[loss.averaged_over]
    assert terms.sum() / divisor == pytest.approx(loss.value(output, target), rel=1e-13)


def test_a_term_of_cross_entropy_needs_the_whole_row():
    assert LOSSES["cross_entropy"].elementwise is None


@pytest.mark.parametrize(
    ("name", "output", "target", "value", "gradient"),
    [
        ("l1", 1.0, 1.0, 0.0, 0.0),
        ("smooth_l1", 2.0, 1.0, 0.5, 1.0),
        ("huber", 0.0, 1.0, 0.5, -1.0),
        ("hinge_embedding", 1.0, -1.0, 0.0, -1.0),
        ("bce", 0.0, 1.0, 100.0, -1000000003995.8029),
        ("bce", 1.0, 0.0, 100.0, 1000000003995.8029),
        ("bce", 0.0, 0.0, 0.0, 0.0),
        ("bce", 1.0, 1.0, 0.0, 0.0),
        ("kl_div", -2.0, 0.0, 0.0, 0.0),
    ],
)
def test_value_and_gradient_at_a_kink_or_clamp(name, output, target, value, gradient):
    arrays = np.array([[output]]), np.array([[target]])
    assert LOSSES[name].value(*arrays) == pytest.approx(value, rel=1e-15)
    assert LOSSES[name].gradient(*arrays).item() == pytest.approx(gradient, rel=1e-15)


@pytest.mark.parametrize("name", ["soft_margin", "poisson_nll", "kl_div"])
def test_overflow_is_that_of_torch_and_silent(reference, name):
    output = np.array([[800.0, -800.0]])
    target = np.array([[-1.0, 1.0]])
    expected_value, expected_gradient = in_torch(reference, name, output, target)
    assert not np.isfinite(expected_value)
    np.testing.assert_equal(LOSSES[name].value(output, target), expected_value)
    np.testing.assert_equal(LOSSES[name].gradient(output, target), expected_gradient)


@pytest.mark.parametrize(
    ("output", "target"), [(-1e-9, 0.5), (1.0 + 1e-9, 0.5), (0.5, -1e-9), (0.5, 1.0 + 1e-9)]
)
def test_bce_refuses_what_torch_refuses(reference, output, target):
    arrays = np.array([[0.5, output]]), np.array([[0.5, target]])
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        in_torch(reference, "bce", *arrays)
    with pytest.raises(ValueError, match="between 0 and 1"):
        LOSSES["bce"].value(*arrays)


def test_bce_of_nan_is_nan():
    assert np.isnan(LOSSES["bce"].value(np.array([[np.nan]]), np.array([[0.5]])))

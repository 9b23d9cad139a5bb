"""Triton kernels against plain torch: on a GPU, or with TRITON_INTERPRET=1 on a CPU."""

from __future__ import annotations

import pytest
import torch

from nnlogic.core.windows import Frame, Window
from nnlogic.model.window import WindowSpec
from nnlogic.nn.population import LutPopulation
from nnlogic.nn.population.functional import multilinear
from nnlogic.nn.population.windows import unfold

GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
# A GPU multiplies with ten bits of mantissa.
NEAR = {"rtol": 1e-2, "atol": 2e-2} if GPU else {"rtol": 1e-5, "atol": 1e-5}


@pytest.mark.parametrize("samples", [40, 128, 5000])
@pytest.mark.parametrize("smooth", [1.0, 0.8])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_and_gradients_of_tables(samples, smooth, dtype):
    from nnlogic.nn.population.fused import table_values

    generator = torch.Generator().manual_seed(samples)
    z = torch.rand((2, 3, 6, samples), generator=generator).to(DEVICE, dtype).requires_grad_(True)
    entries = torch.randint(0, 2, (2, 3, 64), generator=generator).to(DEVICE, torch.float32)
    slopes = torch.rand((2, 3, 64), generator=generator).to(DEVICE).requires_grad_(True)
    grad = torch.randn((2, 3, samples), generator=generator).to(DEVICE, dtype)
    out = table_values(entries, slopes, z, smooth)
    assert out.dtype == dtype
    wide = z.detach().float().requires_grad_(True)
    rounding = NEAR if dtype == torch.float32 else {"rtol": 2e-2, "atol": 3e-2}
    torch.testing.assert_close(out.float(), multilinear(entries, wide).detach(), **rounding)
    mine = torch.autograd.grad(out, (z, slopes), grad)
    soft = multilinear(slopes, 0.5 + smooth * (wide - 0.5))
    theirs = torch.autograd.grad(soft, (wide, slopes), grad.float())
    torch.testing.assert_close(mine[0].float(), theirs[0], **rounding)
    scale = float(theirs[1].abs().max())
    torch.testing.assert_close(mine[1] / scale, theirs[1] / scale, rtol=1e-2, atol=5e-3)


@pytest.mark.parametrize(
    ("frame", "window"),
    [
        (Frame(2, 5, 6), Window((3, 3), padding=(1, 1, 1, 1))),
        (Frame(3, 7, 6), Window((3, 2), (2, 1), (2, 0, 1, 1), 0, (1, 2))),
        (Frame(1, 1, 9), Window((1, 4), (1, 3), (0, 0, 2, 1))),
        (Frame(4, 14, 14), Window((5, 5), padding=(2, 2, 2, 2))),
    ],
)
def test_folding(frame, window):
    from nnlogic.nn.population.fused import fold

    torch.manual_seed(0)
    x = torch.rand((2, frame.channels, frame.height, frame.width, 3), requires_grad=True)
    columns = unfold(x, window)
    grad = torch.randn_like(columns)
    (want,) = torch.autograd.grad(columns, x, grad)
    torch.testing.assert_close(fold(grad.to(DEVICE), frame, window).cpu(), want)


@pytest.mark.parametrize("hard", [False, True] if GPU else [])
def test_a_population_has_the_gradients_it_has_on_a_cpu(hard):
    windows = (
        WindowSpec((3, 3), (6,), padding=(1, 1), pool=(2, 2)),
        WindowSpec((3, 3), (7, 4), padding=(1, 1), pool=(2, 2)),
    )
    codes = torch.randint(0, 2, (256, 64), generator=torch.Generator().manual_seed(0))
    y = torch.randint(0, 3, (2 * 256,), generator=torch.Generator().manual_seed(1))
    grads = []
    for device in ("cpu", "cuda"):
        model = LutPopulation(2, 64, 1, 3, widths=(20, 9), frame=Frame(1, 8, 8), windows=windows)
        model = model.to(device)
        model.anneal(torch.ones((), device=device), hard)
        logits = model(codes.to(device, torch.int32))
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.to(device)).backward()
        grads.append({name: p.grad.cpu() for name, p in model.named_parameters()})
        scores = model.hard_scores(codes.to(device)).cpu()
        grads[-1]["scores"] = scores
    for name, want in grads[0].items():
        got = grads[1][name]
        if name == "scores":
            assert torch.equal(got, want)
            continue
        close = torch.nn.functional.cosine_similarity(got.flatten(), want.flatten(), 0)
        assert float(close) > 0.95, name
        assert float(got.norm() / want.norm()) == pytest.approx(1, abs=0.15), name

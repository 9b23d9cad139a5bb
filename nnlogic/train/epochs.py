"""Training steps by epochs: of a quantized network, and of its float twin."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from nnlogic.core.errors import CheckpointError, UsageError
from nnlogic.nn.stack import Stack
from nnlogic.train.recipe import Recipe
from nnlogic.train.rows import TrainingRows

PRUNE_EVERY = 50
WARM_UP = 0.1


class EpochSteps:
    """Training state: network, optimizer, schedule, and the best weights so far.

    Rows are shuffled by a generator seeded from seed and epoch, so that a resumed run takes the
    same steps as one that was never interrupted.

    Parameters
    ----------
    network : Stack
    rows : TrainingRows
    recipe : Recipe
    epochs : int
    outputs : callable
        Batch of `TrainingRows.x` to outputs with gradients.
    exact : callable
        `TrainingRows.x_val` to outputs, as they are rated.
    prune : bool
        Whether this run cuts connections.
    penalty : callable, optional
        Added to the loss of every batch, already weighted.
    """

    def __init__(
        self,
        network: Stack,
        rows: TrainingRows,
        recipe: Recipe,
        *,
        epochs: int,
        outputs: Callable[[Tensor], Tensor],
        exact: Callable[[Tensor], Tensor],
        prune: bool,
        penalty: Callable[[], Tensor] | None = None,
    ) -> None:
        self.network, self.rows, self.recipe = network, rows, recipe
        self.epochs, self.outputs, self.exact, self.prune = epochs, outputs, exact, prune
        self.penalty = penalty
        self.batch = min(recipe.batch, len(rows.x))
        self.steps = max(1, min(recipe.epoch_rows or len(rows.x), len(rows.x)) // self.batch)
        learned = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            learned, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._rate)
        self.epoch = self.best_epoch = 0
        self.best_merit = -math.inf
        self.best: dict[str, Tensor] = {}

    def _rate(self, step: int) -> float:
        done = step / max(1, self.epochs * self.steps)
        if done < WARM_UP:
            return (step + 1) / max(1.0, WARM_UP * self.epochs * self.steps)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (done - WARM_UP) / (1 - WARM_UP))))

    @property
    def finished(self) -> bool:
        """Whether all epochs are done, or validation stopped improving."""
        patience = self.recipe.patience
        waited = self.epoch - self.best_epoch
        return self.epoch >= self.epochs or (
            patience > 0 and self.best_merit > -math.inf and waited >= patience
        )

    def run_epoch(self) -> tuple[float, float]:
        """Train one epoch and validate.

        Returns
        -------
        loss : float
            Mean over the epoch.
        merit : float
            Of the validation rows, see `Task.merit`; more is better.
        """
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + self.epoch)
        order = torch.randperm(len(self.rows.x), generator=generator).to(self.rows.x.device)
        self.network.train()
        total = torch.zeros((), device=self.rows.x.device)
        for step in range(self.steps):
            picked = order[step * self.batch : (step + 1) * self.batch]
            self.network.anneal((self.epoch + step / self.steps) / self.epochs)
            loss = self.loss(picked)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.schedule.step()
            total += loss.detach()
            if step % PRUNE_EVERY == 0:
                self._cut(self.epoch + (step + 1) / self.steps)
        self.epoch += 1
        self.network.anneal(self.epoch / self.epochs)
        pruned = self._cut(self.epoch)
        mean = float(total) / self.steps
        if not math.isfinite(mean):
            raise UsageError(
                "training diverged",
                where=f"{self.recipe.name}, epoch {self.epoch}",
                why=f"the loss is {mean}",
                fix=f"use a learning_rate below {self.recipe.learning_rate}",
            )
        merit = self.validate()
        if pruned and merit > self.best_merit:
            self.best_merit, self.best_epoch = merit, self.epoch
            self.best = {k: v.detach().clone() for k, v in self.network.state_dict().items()}
        return mean, merit

    def loss(self, picked: Tensor) -> Tensor:
        """Return the loss of training rows, given by their indices, with gradients."""
        rows, task = self.rows, self.rows.task
        found = self.outputs(rows.x[picked])
        loss = task.loss(found, rows.y[picked])
        share, heat = self.recipe.distill, self.recipe.temperature
        if rows.teacher is not None and share:
            # Gradients shrink with the square of the temperature (Hinton et al. 2015).
            pull = task.pull(found, rows.teacher[picked], heat)
            loss = (1 - share) * loss + share * heat**2 * pull
        return loss if self.penalty is None else loss + self.penalty()

    def _cut(self, epochs_done: float) -> bool:
        # Returns whether the network has its final fan-in: only then do its weights count.
        if not self.prune:
            return True
        span = max(self.recipe.prune_to - self.recipe.prune_from, 1e-9)
        progress = (epochs_done / self.epochs - self.recipe.prune_from) / span
        if progress > 0:
            self.network.prune(progress)
        return progress >= 1

    @torch.no_grad()
    def validate(self) -> float:
        """Return how good the network is on the validation rows, in eval mode."""
        self.network.eval()
        rows, task = self.rows, self.rows.task
        merits = task.merit(self.exact(rows.x_val), rows.y_val)
        weights = task.weights(rows.y_val)
        return float(merits.mean() if weights is None else (merits * weights).sum() / weights.sum())

    def state(self) -> dict[str, Any]:
        """Return all that a later `load_state` needs; tensors and plain values only."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "epoch": self.epoch,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "best_accuracy": self.best_merit,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        network, best = _today(state["network"]), _today(state["best"])
        if network.keys() != self.network.state_dict().keys():
            raise CheckpointError(
                "the saved state does not fit the network",
                where=self.recipe.name,
                why="another version of nnlogic wrote it, which named its parameters otherwise",
                fix="delete the folder and train again, or go on with the version that wrote it",
            )
        self.network.load_state_dict(network)
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.epoch, self.best = state["epoch"], best
        self.best_epoch, self.best_merit = state["best_epoch"], state["best_accuracy"]

    def keep_best(self) -> None:
        """Put the best weights back into the network, in eval mode."""
        self.network.load_state_dict(self.best)
        self.network.anneal(1.0)
        self.network.eval()


def _today(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    # Linear sums in a stack had their parameters one level deeper in states written before 0.2.
    return {name.replace(".layer.", "."): value for name, value in weights.items()}

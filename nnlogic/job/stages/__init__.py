"""Stages that most backends share: from the network that came in to minimized logic."""

from nnlogic.job.stages.logic import logic_stages
from nnlogic.job.stages.quant import QuantStage
from nnlogic.job.stages.raw import CodedStage, RawStage, stages_of
from nnlogic.job.stages.tables import SimplifiedStage, TablesStage

__all__ = [
    "CodedStage", "QuantStage", "RawStage", "SimplifiedStage", "TablesStage", "logic_stages",
    "stages_of",
]  # fmt: skip

"""Codes as wires: their bits, and learned functions of one code."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from nnlogic.core.windows import Frame, Window
from nnlogic.nn.population.parts import Part, Place
from nnlogic.nn.population.tables import Functions

ONE = Window((1, 1))


def wires_of(codes: Tensor, bits: int, functions: Functions | None, dtype: torch.dtype) -> Tensor:
    """Return bits of all features, then functions, (1 or members, wires, samples).

    Parameters
    ----------
    codes : int tensor, shape (samples, features)
    bits : int
    functions : Functions, optional
        A number of each feature.
    dtype : torch.dtype
    """
    raw = _raw(codes, bits, dtype).flatten(0, 1)[None]
    if functions is None:
        return raw
    learned = functions(_one_hot(codes, bits, dtype))
    return torch.cat([raw.expand(len(learned), -1, -1), learned], 1)


def map_wires(
    codes: Tensor, bits: int, channels: int, functions: Functions | None, dtype: torch.dtype
) -> Tensor:
    """Return the wires of a map, place by place: bits and functions of each of its channels.

    Parameters
    ----------
    codes, bits, dtype
        As for `wires_of`; channels of a place together.
    channels : int
        Features of a place.
    functions : Functions, optional
        A number of each channel, the same at all places.
    """
    samples = len(codes)
    raw = _raw(codes, bits, dtype).view(1, -1, channels, bits, samples)
    if functions is None:
        return raw.flatten(1, 3)
    one_hot = _one_hot(codes, bits, dtype).view(-1, channels, 1 << bits, samples)
    places = len(one_hot)
    learned = functions(one_hot.permute(1, 2, 0, 3).flatten(2))
    learned = learned.view(len(learned), channels, -1, places, samples).permute(0, 3, 1, 2, 4)
    return torch.cat([raw.expand(len(learned), -1, -1, -1, -1), learned], 3).flatten(1, 3)


def _raw(codes: Tensor, bits: int, dtype: torch.dtype) -> Tensor:
    shifts = torch.arange(bits, device=codes.device)
    return ((codes.t()[:, None, :] >> shifts[:, None]) & 1).to(dtype)


def _one_hot(codes: Tensor, bits: int, dtype: torch.dtype) -> Tensor:
    values = torch.arange(1 << bits, device=codes.device)
    return (codes.t()[:, None, :] == values[:, None]).to(dtype)


def encoder_part(features: int, bits: int, functions: Functions | None, member: int) -> Part:
    """Return the encoder of `wires_of`."""
    pins, tables = np.repeat(np.arange(features), bits), np.tile(_bit_tables(bits), (features, 1))
    if functions is not None:
        learned = functions.hard(member)
        pins = np.concatenate([pins, np.repeat(np.arange(features), learned.shape[1])])
        tables = np.concatenate([tables, learned.reshape(-1, 1 << bits)])
    return Part("encoder", "encoder", pins[:, None], tables)


def map_encoder_part(
    channels: int, rows: int, columns: int, bits: int, functions: Functions | None, member: int
) -> Part:
    """Return the encoder of `map_wires`: the same at every place."""
    raw = np.broadcast_to(_bit_tables(bits), (channels, bits, 1 << bits))
    each = [raw] if functions is None else [raw, functions.hard(member)]
    tables = np.concatenate(each, axis=1)
    pins = np.repeat(np.arange(channels), tables.shape[1])
    place = Place("encoder", Frame(channels, rows, columns), ONE, ONE)
    return Part("encoder_0", "encoder", pins[:, None], tables.reshape(-1, 1 << bits), place)


def _bit_tables(bits: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    index = np.arange(1 << bits)
    return np.array([(index >> b) & 1 for b in range(bits)])

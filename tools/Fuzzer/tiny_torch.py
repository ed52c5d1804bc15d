"""Writes Seeds/tiny.pt: a checkpoint as torch.save and fairseq lay it out, as small as one can be.

PyTorch is not needed: its functions are only named in the pickle, so stand-ins of the same names do.

    python3 tools/Fuzzer/tiny_torch.py
"""
import argparse
import collections
import io
import pathlib
import pickle
import struct
import sys
import types
import zipfile

torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
sys.modules.update({"torch": torch, "torch._utils": utils})


def stand_in(module, name):
    def function(*arguments):
        raise RuntimeError("never called")
    function.__module__, function.__name__, function.__qualname__ = module.__name__, name, name
    setattr(module, name, function)
    return function


rebuild = stand_in(utils, "_rebuild_tensor_v2")
FloatStorage, HalfStorage = (type(name, (), {"__module__": "torch"}) for name in ("FloatStorage", "HalfStorage"))
torch.FloatStorage, torch.HalfStorage = FloatStorage, HalfStorage


class Storage:
    def __init__(self, kind, key, count):
        self.key, self.id = key, ("storage", kind, key, "cpu", count)


class Tensor:
    def __init__(self, storage, offset, size, stride):
        self.arguments = (storage, offset, size, stride, False, collections.OrderedDict())

    def __reduce__(self):
        return rebuild, self.arguments


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.id if isinstance(value, Storage) else None


floats, halves = Storage(FloatStorage, "0", 6), Storage(HalfStorage, "1", 4)
weights = collections.OrderedDict([
    ("decoder.a.weight", Tensor(floats, 0, (2, 3), (3, 1))),
    ("decoder.b.weight", Tensor(floats, 1, (2, 2), (1, 2))),
    ("decoder.c.weight", Tensor(halves, 0, (4,), (1,))),
])
checkpoint = {
    "args": argparse.Namespace(arch="retnet", decoder_layers=1, dropout=0.5, share=True, none=None),
    "cfg": {"model": {"decoder_layers": 1, "activation_fn": "gelu", "list": [1, -2, 70000, (1, 2, 3, 4), ()]}},
    "model": weights,
    "extra_state": {"epoch": 2 ** 40},
}
stream = io.BytesIO()
Pickler(stream, protocol=2).dump(checkpoint)
target = pathlib.Path(__file__).parent / "Seeds" / "tiny.pt"
with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
    def add(name, data):
        archive.writestr(zipfile.ZipInfo("tiny/" + name), data)
    add("data.pkl", stream.getvalue())
    add("byteorder", b"little")
    add("data/0", struct.pack("<6f", *range(6)))
    add("data/1", struct.pack("<4e", *range(4)))
    add("version", b"3\n")
print(target, target.stat().st_size, "bytes")

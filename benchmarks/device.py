"""What the benchmark runs on: its name, its memory and, where known, its peak rates."""

from __future__ import annotations

import ctypes
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import jax


@dataclass(frozen=True)
class Peak:
    """Peak rates: float64 operations a second without tensor cores, and bytes a second."""

    flops: float
    bandwidth: float


# Vendor data sheets, by a part of the name that the driver reports; the first match counts.
PEAKS = {
    "H100 PCIe": Peak(26e12, 2.0e12),
    "H100 NVL": Peak(30e12, 3.9e12),
    "H100": Peak(34e12, 3.35e12),
    "H200": Peak(34e12, 4.8e12),
}


@dataclass(frozen=True)
class Device:
    """The default JAX device.

    Attributes:
        kind: the name that the driver reports; for a CPU, that of the processor and its cores.
        accelerator: whether it is something other than a CPU.
        peak: its peak rates, or None where the table has none.
    """

    kind: str
    accelerator: bool
    peak: Peak | None

    def roofline(self, flops: float, traffic: float, seconds: float) -> float | None:
        """The least time that the peak rates allow, as a fraction of the measured time."""
        if self.peak is None:
            return None
        return max(flops / self.peak.flops, traffic / self.peak.bandwidth) / seconds


def current() -> Device:
    """The device on which JAX places arrays by default."""
    device = jax.devices()[0]
    if device.platform == "cpu":
        return Device(f"{_processor()}, {_cores()} cores", False, None)
    peak = next((peak for name, peak in PEAKS.items() if name in device.device_kind), None)
    return Device(device.device_kind, True, peak)


def free_memory() -> float:
    """Bytes that a program may use now, with a fifth held back for everything else."""
    device = jax.devices()[0]
    statistics = device.memory_stats() or {}
    if "bytes_limit" in statistics:
        return 0.8 * (statistics["bytes_limit"] - statistics.get("bytes_in_use", 0))
    information = Path("/proc/meminfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 0.8 * 1024 * int(line.split()[1])
    # Elsewhere only the installed memory is known: take half of it for free.
    return 0.4 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def keep_freed_memory() -> bool:
    """Have the C library keep what is freed for the next array, where it is glibc.

    By default it returns large arrays to the system and pays a page fault for every 4 KiB it gets
    back. Whether it does depends on what else was allocated, which alone made the rate of
    writing ten arrays of 2 MiB vary between 20 and 270 million points a second on one machine.

    Returns:
        Whether it was possible.
    """
    trim_threshold, mmap_threshold = -1, -3  # <malloc.h>
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    largest = 2**31 - 1
    kept = mallopt(mmap_threshold, largest) or mallopt(mmap_threshold, 32 * 2**20)  # older glibc
    return bool(kept and mallopt(trim_threshold, largest))


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _cores() -> int:
    """Cores that this process may use; some systems only tell how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

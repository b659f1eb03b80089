"""What this machine has: cores that may be used, cache, and whether it multiplies small integers fast."""

from __future__ import annotations

import os
import platform
from pathlib import Path

CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # of a container: "quota period", or "max period"
LEVEL_2_CACHE = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")  # e.g. "2048K"
CPU_INFO = Path("/proc/cpuinfo")
EXACT_INT8 = {"avx_vnni", "avx512_vnni", "amx_int8", "asimddp"}


def cores() -> int:
    """Cores this process may use: what it is pinned to, or less where a container has a quota."""
    pinned = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = CGROUP_QUOTA.read_text().split()
        return max(1, min(pinned, int(quota) // int(period)))
    except (OSError, ValueError):  # no container, or no limit
        return pinned


def level_2_cache() -> int:
    """Bytes of a core's second-level cache; one megabyte where the machine does not say."""
    try:
        return int(LEVEL_2_CACHE.read_text().strip().removesuffix("K")) * 1024
    except (OSError, ValueError):
        return 1 << 20


def multiplies_int8() -> bool:
    """Whether 8-bit products are summed in 32 bits by one instruction (VNNI, AMX, Arm dot product).

    Without it onnxruntime's kernels for x86 sum in 16 bits, which may saturate. Where the machine
    does not say, the answer is no.
    """
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    try:
        words = set(CPU_INFO.read_text().split())
    except OSError:
        return False
    return bool(words & EXACT_INT8)

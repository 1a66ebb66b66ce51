"""What devices can do at most, for the utilisation in benchmarks."""

# Part of a name -> dense FLOP/s in 16 bits with tensor cores, and in float32 without.
# Source: the makers' data sheets. The first part that fits counts.
_PEAKS: tuple[tuple[str, float, float], ...] = (
    ('H100 PCIe', 756e12, 51e12),
    ('H100', 989e12, 67e12),
    ('H200', 989e12, 67e12),
    ('A100', 312e12, 19.5e12),
    ('L40S', 362e12, 91.6e12),
    ('V100', 125e12, 15.7e12),
    ('T4', 65e12, 8.1e12),
)


def peak_flops(device: str, precision: str) -> float | None:
    """Floating-point operations per second that a device can do at most.

    Args:
        device: Its name, as torch gives it.
        precision: Of the step, e.g. ``autocast torch.bfloat16`` or ``torch.float32``.

    Returns:
        FLOP/s, or None where they are not known.
    """
    for part, half, single in _PEAKS:
        if part in device:
            if precision.endswith(('bfloat16', 'float16')):
                return half
            return single if precision.endswith('float32') else None
    return None

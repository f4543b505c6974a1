from seedbed.scaling.hardware import devices


def test_every_number_says_where_it_comes_from():
    for device in devices().values():
        columns = {f"{precision}_flops_per_second" for precision in device.peak_flops_per_second}
        assert device.sources.keys() == columns | {"memory_bytes"}
        assert all("datasheet" in source or "whitepaper" in source for source in device.sources.values())


def test_peaks_are_dense():
    # The H100's 1,978.9 TFLOP/s and the L4's 242 are with structured sparsity, which training does not have.
    peaks = {name: device.peak_flops_per_second.get("bf16") for name, device in devices().items()}
    assert peaks == {
        "nvidia-v100-sxm2-16gb": None,  # knows no bf16
        "nvidia-v100-sxm2-32gb": None,
        "nvidia-a100-sxm4-40gb": 312e12,
        "nvidia-a100-sxm4-80gb": 312e12,
        "nvidia-h100-sxm5-80gb": 989.4e12,
        "nvidia-h200-sxm-141gb": 989.4e12,
        "nvidia-l4": 121e12,
    }


def test_memory_is_in_the_makers_gigabytes():
    assert devices()["nvidia-h200-sxm-141gb"].memory_bytes == 141_000_000_000

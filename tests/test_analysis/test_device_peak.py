"""Utilisation by hand."""

from dataclasses import replace

import pytest

from openvocab.analysis.benchmark_result import Comparison, Result
from openvocab.analysis.benchmark_table import benchmark_table
from openvocab.analysis.device_peak import peak_flops
from openvocab.analysis.loader_rate import LoaderRate


@pytest.fixture
def result():
    loader = LoaderRate(
        images_per_second_per_worker=1.0, workers_needed=1, num_workers=1
    )
    return Result(
        config='a', mode='train', device='NVIDIA A100-SXM4-80GB',
        precision='autocast torch.bfloat16', batch_size=4, input_shape=(3, 8, 8),
        steps=1, step_seconds=3.0, images_per_second=1.0,
        images_per_second_data_ready=2.0, peak_memory=1, peak_memory_kind='',
        parts=[], synchronisations=None, loader=loader, flops_per_step=int(312e12),
    )  # fmt: skip


def test_share_of_the_peak(result):
    # half a step per second, each as much as the device does in a second
    assert result.flops_per_second == 156e12
    assert result.mfu == pytest.approx(0.5)
    single = replace(result, precision='torch.float32')
    assert single.mfu == pytest.approx(156 / 19.5)


def test_unknown_devices_and_counts(result):
    assert replace(result, device='CPU, 2 thread(s)').mfu is None
    assert replace(result, flops_per_step=None).mfu is None
    assert peak_flops('NVIDIA H100 PCIe', 'torch.float16') == 756e12
    assert peak_flops('NVIDIA H100 80GB HBM3', 'torch.float16') == 989e12
    assert peak_flops('NVIDIA A100', 'torch.float64') is None


def test_the_table_and_the_file_have_it(result, tmp_path):
    from rich.console import Console

    console = Console(record=True, width=120, file=open('/dev/null', 'w'))
    comparison = Comparison([result])
    console.print(benchmark_table(comparison))
    assert '156, 50.0%' in console.export_text()
    comparison.write(tmp_path / 'a.json')
    assert '"mfu": 0.5' in (tmp_path / 'a.json').read_text()
    assert Comparison.read(tmp_path / 'a.json').results[0].mfu == 0.5

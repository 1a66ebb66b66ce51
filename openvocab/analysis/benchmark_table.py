"""How a benchmark looks on a console."""

from rich import box
from rich.table import Table

from .benchmark_result import Comparison, Result

_CAPTION = (
    'Medians. Parts do not overlap: an inner part is not counted in the outer one.'
)


def benchmark_table(comparison: Comparison) -> Table:
    """Builds the table: a column per config, a row per quantity, then the parts."""
    results = comparison.results
    table = Table(title='Benchmark', caption=_CAPTION, box=box.SIMPLE_HEAD)
    table.add_column('', no_wrap=True)
    for result in results:
        table.add_column(result.config, justify='right', overflow='fold')
    columns = [_facts(result) for result in results]
    for name in columns[0]:
        table.add_row(name, *(facts[name] for facts in columns))
    table.add_section()
    for name in dict.fromkeys(part.name for r in results for part in r.parts):
        table.add_row(name, *(_part(result, name) for result in results))
    if any(result.head_share for result in results):
        table.add_section()
        table.add_row(
            'pooling + loss + text', *(f'{r.head_share:.1%}' for r in results)
        )
        if any(r.mode == 'train' for r in results):
            table.add_row(
                'and their backward',
                *(f'{r.head_share_with_backward:.1%}' for r in results),
            )
    if comparison.ratios:
        table.add_section()
        ratios = comparison.ratios
        table.add_row(
            f'ratio in {len(ratios)} pairs',
            f'{comparison.median_ratio:.3f}',
            f'{min(ratios):.3f} to {max(ratios):.3f}',
        )
    return table


def _facts(result: Result) -> dict[str, str]:
    loader = result.loader
    height, width = result.input_shape[-2:]
    return {
        'step': f'{result.mode}, {result.batch_size} x {height} x {width}',
        'device': result.device,
        'precision': result.precision.replace('torch.', ''),
        'images/s': _number(result.images_per_second),
        'images/s, data at hand': _number(result.images_per_second_data_ready),
        'TFLOP/s, share of the peak': _speed(result),
        'peak memory': f'{result.peak_memory / 2**30:.2f} GiB',
        '  what it counts': result.peak_memory_kind,
        'loader: images/s/worker': _number(loader.images_per_second_per_worker),
        'workers needed / set': f'{loader.workers_needed} / {loader.num_workers}',
        'host waits per step': _synchronisations(result.synchronisations),
        f'median of {result.steps} steps': f'{1000 * result.step_seconds:.1f} ms',
    }


def _part(result: Result, name: str) -> str:
    for part in result.parts:
        if part.name == name:
            return f'{1000 * part.seconds:.1f} ms  {part.share:6.1%}'
    return '-'


def _synchronisations(found: dict[str, int] | None) -> str:
    if found is None:
        return 'n/a'
    lines = [f'{line} ({count})' for line, count in list(found.items())[:5]]
    return '\n'.join([str(sum(found.values())), *lines])


def _speed(result: Result) -> str:
    if result.flops_per_second is None:
        return 'n/a'
    share = 'unknown' if result.mfu is None else f'{result.mfu:.1%}'
    return f'{result.flops_per_second / 1e12:.3g}, {share}'


def _number(value: float) -> str:
    return f'{value:.3g}' if value < 100 else f'{value:.0f}'

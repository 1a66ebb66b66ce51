"""What a training run logged: scalars by step."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean

_PLACES = ('step', 'iter', 'epoch')


@dataclass
class RunLog:
    """Scalars of a run.

    Attributes:
        name: Of the work directory.
        series: Key -> step -> value. Losses and rates are logged by iteration;
            validation metrics stand at the step of their epoch or iteration.
    """

    name: str
    series: dict[str, dict[int, float]] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """The last step that trained."""
        trained = self.series.get('time', {})
        return max(trained, default=0)

    def mean(self, key: str) -> float | None:
        """Mean over the logged steps, None where the key was never logged."""
        values = self.series.get(key)
        return fmean(values.values()) if values else None


def read_run_log(path: str | Path) -> RunLog:
    """Reads the ``scalars.json`` of a run, of all its parts if it was resumed.

    Where a resumed run repeats steps, the later values stand. A last line that was
    cut off when the run was killed is left out.

    Args:
        path: A work directory, or one ``scalars.json``.

    Raises:
        FileNotFoundError: There is no such file, or none in the folder.
        ValueError: A line is not json; the message names file and line.
    """
    path = Path(path)
    files = sorted(path.glob('*/vis_data/scalars.json')) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise FileNotFoundError(
            f'{path}: no scalars.json; a work directory of tools/train.py is expected'
        )
    log = RunLog(path.name if path.is_dir() else path.parents[2].name)
    for file in files:
        lines = file.read_text().splitlines()
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
            except ValueError:
                if number == len(lines):
                    break
                raise ValueError(f'{file}, line {number}: not json') from None
            step = int(entry.get('step', 0))
            for key, value in entry.items():
                if key not in _PLACES and isinstance(value, (int, float)):
                    log.series.setdefault(key, {})[step] = float(value)
    return log

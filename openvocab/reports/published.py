"""Published figures of a config, from the metafile that stands beside it."""

from pathlib import Path
from typing import Any

import yaml


def published_metrics(
    config: str | Path, dataset: str | None = None
) -> dict[str, float] | None:
    """Looks up what the paper of a config reports.

    ``metafile.yml`` in the folder of the config has the layout of the OpenMMLab model
    zoo, with our metric names as keys::

        Models:
          - Name: densevlm_eva02-b16
            Config: configs/densevlm/densevlm_eva02-b16.py
            Results:
              - Task: Region Recognition
                Dataset: COCO panoptic
                Metrics: {boxes_top1: 73.4, boxes_top5: 90.5}

    Entries are found by the file name of the config.

    Args:
        config: Path of the config.
        dataset: ``Dataset`` of the wanted result; by default the first one listed.

    Returns:
        Metric name -> figure, numbers only; None if there is no metafile, no entry, or
        no such result.

    Raises:
        ValueError: The metafile is not valid, or has another layout.
    """
    config = Path(config)
    metafile = config.parent / 'metafile.yml'
    if not metafile.is_file():
        return None
    try:
        models = (yaml.safe_load(metafile.read_bytes()) or {}).get('Models') or []
        results = [
            result
            for model in models
            if Path(model['Config']).name == config.name
            for result in model.get('Results') or []
            if dataset in (None, result.get('Dataset'))
        ]
        return _numbers(results[0]['Metrics']) if results else None
    except yaml.YAMLError as error:
        reason = ' '.join(str(error).split())
        raise ValueError(f'{metafile} is not valid yaml: {reason}') from None
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f'{metafile}: not a model zoo metafile ({error!r})') from None


def _numbers(metrics: dict[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in metrics.items()
        if isinstance(value, (int, float))
    }

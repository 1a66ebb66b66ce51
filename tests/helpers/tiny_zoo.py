"""A zoo of two methods in a temporary folder."""

from pathlib import Path

import yaml


def model(name: str, **changes) -> dict:
    """A faultless entry."""
    folder = name.split('_')[0]
    entry = {
        'Name': name,
        'In Collection': folder.capitalize(),
        'Config': f'configs/{folder}/{name}.py',
        'Metadata': {
            'Task': 'Semantic Segmentation',
            'Encoder': 'ViT',
            'Training Data': 'COCO',
        },
    }
    return {**entry, **changes}


def result(dataset: str, task: str = 'Semantic Segmentation', **metrics) -> dict:
    """A published result; the keys of a measured one go into ``more``."""
    more = metrics.pop('more', {})
    return {'Task': task, 'Dataset': dataset, 'Metrics': metrics, **more}


def runs(*seeds: int, **std: float) -> dict:
    """What makes a result a measured one."""
    return {'Seeds': list(seeds), 'Command': 'python run.py', 'Std': std}


class Zoo:
    """Writes metafiles, their configs and pages."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, *models: dict, configs: tuple[str, ...] = ()) -> None:
        """Writes the metafiles of all models, by folder, and empty configs."""
        folders: dict[str, list[dict]] = {}
        for entry in models:
            folders.setdefault(Path(entry['Config']).parent.name, []).append(entry)
        for folder, entries in folders.items():
            home = self.root / 'configs' / folder
            home.mkdir(parents=True, exist_ok=True)
            readme = f'configs/{folder}/README.md'
            (self.root / readme).touch()
            content = {
                'Collections': [{'Name': folder.capitalize(), 'README': readme}],
                'Models': entries,
            }
            (home / 'metafile.yml').write_text(yaml.safe_dump(content))
            for entry in entries:
                (home / f'{entry["Name"]}.py').write_text('')
        for name in configs:
            (self.root / name).write_text('')
        listed = [f'configs/{folder}/metafile.yml' for folder in folders]
        (self.root / 'model-index.yml').write_text(yaml.safe_dump({'Import': listed}))

"""``model-index.yml`` and its metafiles as objects.

A metafile has the layout of the OpenMMLab model zoo, and keeps what others published
apart from what was measured with this package::

    Collections:
    - Name: SAN
      README: configs/san/README.md
    Models:
    - Name: san_vit-b16-openai_a150            # stem of the config, unique
      In Collection: SAN
      Config: configs/san/san_vit-b16-openai_a150.py
      Metadata:
        Task: Semantic Segmentation
        Encoder: OpenAI ViT-B/16               # label of its row in the tables
        Training Data: COCO-Stuff train2017, 171 classes
      Weights: https://.../NAME_DATE-SHA8.pth#sha256=...    # where there are any
      Results:                                 # published
      - Task: Semantic Segmentation
        Dataset: A-150
        Metrics: {miou: 27.6}
      Measured:                                # by this package
      - Task: Semantic Segmentation
        Dataset: A-150
        Seeds: [0, 1]
        Command: python tools/test.py ...
        Metrics: {miou: 27.5}
        Std: {miou: 0.1}

Further keys: ``Metadata.Variant`` (goes behind the label), ``Metadata.Trains: nothing``
(the encoders that the config names are all there is) and ``Label`` of a result, where
its row is not that of the config.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import openvocab

# libyaml's is ten times as fast, but not in every build
_LOADER = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)


@dataclass(frozen=True)
class Result:
    """Figures of one model on one data set.

    Attributes:
        task: As in the metafile.
        dataset: As in the metafile.
        metrics: Metric name -> figure, as in reports.
        label: Row of the tables; empty for that of the model.
        seeds: Of the measured runs; empty for published figures.
        std: Metric name -> sample standard deviation over the seeds.
        command: What measured it.
        raw: The entry itself.
    """

    task: str
    dataset: str
    metrics: Mapping[str, float]
    label: str = ''
    seeds: tuple[int, ...] = ()
    std: Mapping[str, float] = field(default_factory=dict)
    command: str = ''
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class ModelEntry:
    """One config of the zoo.

    Attributes:
        name: Unique, the stem of the config.
        collection: Name of its method.
        config: Path of the config, relative to the root of the index.
        metafile: Path of the metafile, relative likewise.
        metadata: As in the metafile.
        weights: Address of its weights; None where there are none.
        published: What others report.
        measured: What was measured with this package.
        raw: The entry itself.
    """

    name: str
    collection: str
    config: Path
    metafile: Path
    metadata: Mapping[str, Any]
    weights: str | None
    published: tuple[Result, ...]
    measured: tuple[Result, ...]
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def task(self) -> str:
        """What the config trains or evaluates for."""
        return str(self.metadata.get('Task', ''))

    @property
    def label(self) -> str:
        """Its row in tables: encoder and variant."""
        parts = (self.metadata.get('Encoder'), self.metadata.get('Variant'))
        return ', '.join(str(part) for part in parts if part)

    @property
    def training_data(self) -> str:
        """What it is trained on."""
        return str(self.metadata.get('Training Data', ''))

    @property
    def trains_nothing(self) -> bool:
        """Whether the encoders named in the config are the whole model."""
        return self.metadata.get('Trains') == 'nothing'


@dataclass(frozen=True)
class ModelIndex:
    """All metafiles that a ``model-index.yml`` lists.

    Attributes:
        root: Folder of the index; paths are relative to it.
        metafiles: The listed files.
        collections: Name of a method -> its entry.
        models: All models, in the order of the files.
    """

    root: Path
    metafiles: tuple[Path, ...]
    collections: Mapping[str, Mapping[str, Any]]
    models: tuple[ModelEntry, ...]

    @classmethod
    def load(cls, root: str | Path | None = None) -> 'ModelIndex':
        """Reads the index.

        Args:
            root: Folder of ``model-index.yml``; by default the one that the package
                carries, in a checkout and in a wheel.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: A file has another layout; the message names it.
        """
        root = Path(root or Path(openvocab.__file__).parent / '.mim')
        listed = _read(root / 'model-index.yml').get('Import') or []
        metafiles = tuple(Path(name) for name in listed)
        collections: dict[str, Mapping[str, Any]] = {}
        models: list[ModelEntry] = []
        for path in metafiles:
            content = _read(root / path)
            try:
                for entry in content.get('Collections') or []:
                    if entry['Name'] in collections:
                        raise ValueError(f'collection {entry["Name"]!r} exists twice')
                    collections[entry['Name']] = entry
                models += [_model(entry, path) for entry in content.get('Models') or []]
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise ValueError(f'{path}: not a metafile of a zoo: {error}') from None
        return cls(root, metafiles, collections, tuple(models))

    def __iter__(self) -> Iterator[ModelEntry]:
        return iter(self.models)

    def in_folder(self, *folders: str) -> list[ModelEntry]:
        """Returns the models of some folders below ``configs/``."""
        return [m for name in folders for m in self if m.config.parent.name == name]


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(f'file not found: {path}')
    try:
        content = yaml.load(path.read_bytes(), _LOADER)
    except yaml.YAMLError as error:
        reason = ' '.join(str(error).split())
        raise ValueError(f'{path} is not valid yaml: {reason}') from None
    if not isinstance(content, dict):
        raise ValueError(f'{path}: a mapping is expected at the top')
    return content


def _model(entry: Mapping[str, Any], metafile: Path) -> ModelEntry:
    try:
        return ModelEntry(
            name=entry['Name'],
            collection=entry['In Collection'],
            config=Path(entry['Config']),
            metafile=metafile,
            metadata=dict(entry.get('Metadata') or {}),
            weights=entry.get('Weights'),
            published=tuple(_result(item) for item in entry.get('Results') or []),
            measured=tuple(_result(item) for item in entry.get('Measured') or []),
            raw=entry,
        )
    except KeyError as error:
        raise ValueError(f'{entry.get("Name", entry)}: no {error}') from None


def _result(item: Mapping[str, Any]) -> Result:
    return Result(
        task=item['Task'],
        dataset=str(item['Dataset']),
        metrics=dict(item['Metrics']),
        label=item.get('Label', ''),
        seeds=tuple(item.get('Seeds') or ()),
        std=dict(item.get('Std') or {}),
        command=item.get('Command', ''),
        raw=item,
    )

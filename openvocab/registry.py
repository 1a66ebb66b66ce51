"""Registries of the ``openvocab`` scope; every one imports its modules lazily."""

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import (
    OPTIM_WRAPPER_CONSTRUCTORS as MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS,
)
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import TASK_UTILS as MMENGINE_TASK_UTILS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.registry import Registry


def _child(name: str, parent: Registry, *locations: str) -> Registry:
    return Registry(name, parent=parent, scope='openvocab', locations=list(locations))


MODELS = _child('model', MMENGINE_MODELS, 'openvocab.models')
DATASETS = _child('dataset', MMENGINE_DATASETS, 'openvocab.datasets')
DATA_SAMPLERS = _child('data sampler', MMENGINE_DATA_SAMPLERS, 'openvocab.datasets')
TRANSFORMS = _child('transform', MMENGINE_TRANSFORMS, 'openvocab.datasets')
METRICS = _child('metric', MMENGINE_METRICS, 'openvocab.evaluation')
HOOKS = _child('hook', MMENGINE_HOOKS, 'openvocab.engine')
OPTIM_WRAPPERS = _child('optim_wrapper', MMENGINE_OPTIM_WRAPPERS, 'openvocab.engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'optimizer wrapper constructor',
    MMENGINE_OPTIM_WRAPPER_CONSTRUCTORS,
    'openvocab.engine',
)
TASK_UTILS = _child('task util', MMENGINE_TASK_UTILS, 'openvocab.models')
# not the whole package: its pictures need no mmdet
VISUALIZERS = _child(
    'visualizer', MMENGINE_VISUALIZERS, 'openvocab.visualization.det_visualizer'
)

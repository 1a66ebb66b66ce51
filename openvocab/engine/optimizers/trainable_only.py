"""An optimizer that holds the trainable parameters and nothing else."""

from collections import OrderedDict

from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from mmengine.utils.dl_utils import is_norm
from torch import nn

from openvocab.registry import OPTIM_WRAPPER_CONSTRUCTORS


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class TrainableOnlyConstructor(DefaultOptimWrapperConstructor):
    """Leaves parameters with ``requires_grad=False`` out of the optimizer.

    mmengine's default hands every parameter to the optimizer unless ``paramwise_cfg``
    is given, and then makes one group and one log line per parameter. Here frozen
    parameters never enter, with or without ``paramwise_cfg``, and parameters of equal
    settings share one group. For CLIP towers ``flat_decay_mult=0`` takes the weight
    decay from biases, norms and other 1-d parameters.

    The keys of ``paramwise_cfg`` keep their meaning, except that ``norm_decay_mult``
    also holds for norms that a custom key matches, unless that key sets
    ``decay_mult``: mmengine lets a tower with an ``lr_mult`` decay its norms.

    Raises:
        ValueError: If the model has no trainable parameter.
    """

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Builds the optimizer wrapper for the trainable part of ``model``."""
        model = getattr(model, 'module', model)
        trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
        frozen = sum(p.numel() for p in model.parameters() if not p.requires_grad)
        if trainable == 0:
            raise ValueError(
                f'{type(model).__name__} has no trainable parameter: set '
                'trainable_blocks of its backbone (-1 trains all blocks)'
            )
        # A non-empty paramwise_cfg makes the parent walk the modules with add_params.
        paramwise_cfg = self.paramwise_cfg
        self.paramwise_cfg = {'bypass_duplicate': True, **(paramwise_cfg or {})}
        try:
            optim_wrapper = super().__call__(model)
        finally:
            self.paramwise_cfg = paramwise_cfg
        groups = len(optim_wrapper.optimizer.param_groups)
        print_log(
            f'Optimizer: {trainable / 1e6:.2f} M trainable parameters in {groups} '
            f'group(s); {frozen / 1e6:.2f} M frozen ones left out',
            logger='current',
        )
        return optim_wrapper

    def add_params(
        self,
        params: list[dict],
        module: nn.Module,
        prefix: str = '',
        is_dcn_module: int | float | None = None,
    ) -> None:
        """Adds the trainable parameters of ``module``, grouped by their settings.

        Args:
            params: Parameter groups, extended in place.
            module: The module to walk.
            prefix: Name of ``module`` within the model.
            is_dcn_module: Set by the parent class for deformable convolutions.
        """
        if prefix:  # a recursive call of the parent's walk
            if any(p.requires_grad for p in module.parameters()):
                super().add_params(params, module, prefix, is_dcn_module)
            return
        singles: list[dict] = []
        super().add_params(singles, module, prefix, is_dcn_module)
        self._scale_norm_decay(singles, module)
        groups: OrderedDict[tuple, dict] = OrderedDict()
        for single in singles:
            settings = {k: v for k, v in single.items() if k != 'params'}
            key = tuple(sorted((k, repr(v)) for k, v in settings.items()))
            group = groups.setdefault(key, {'params': [], **settings})
            group['params'].extend(single['params'])
        params.extend(groups.values())

    def _scale_norm_decay(self, singles: list[dict], model: nn.Module) -> None:
        """Applies ``norm_decay_mult`` to every norm without a ``decay_mult``.

        Args:
            singles: Groups of one parameter each, changed in place.
            model: Their model.
        """
        factor = self.paramwise_cfg.get('norm_decay_mult')
        if factor is None:
            return
        norms = {
            id(parameter)
            for module in model.modules()
            if is_norm(module)
            for parameter in module.parameters(recurse=False)
        }
        for single in singles:
            # a custom key leaves its settings in the group
            if id(single['params'][0]) in norms and 'decay_mult' not in single:
                single['weight_decay'] = self.base_wd * factor

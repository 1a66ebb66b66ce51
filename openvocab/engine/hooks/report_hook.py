from mmengine.hooks import Hook
from openvocab.registry import HOOKS


@HOOKS.register_module()
class ReportHook(Hook):
    pass

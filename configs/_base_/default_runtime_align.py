# Run-time settings of alignment: the trained encoder is exported.
_base_ = './default_runtime.py'

default_hooks = dict(
    # work_dir/encoder.safetensors, for init_cfg=dict(type='Pretrained', ...)
    export=dict(type='openvocab.ExportEncoderHook', alpha=1.0, _scope_='mmengine'))

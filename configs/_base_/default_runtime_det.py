# Run-time settings of detection.
_base_ = './default_runtime.py'

default_scope = 'mmdet'
default_hooks = dict(
    # trains on the model's classes; is validated and tested on those of the data set
    vocabulary=dict(type='openvocab.DetVocabularyHook', _scope_='mmengine'),
    visualization=dict(type='DetVisualizationHook', _scope_='mmdet'))
visualizer = dict(
    type='openvocab.DetVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    name='visualizer',
    _scope_='mmengine')
# batch norm of all processes together, in a distributed job
sync_bn = 'torch'

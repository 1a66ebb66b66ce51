# Run-time settings of segmentation. Training counts iterations.
_base_ = './default_runtime.py'

default_scope = 'mmseg'
default_hooks = dict(
    logger=dict(interval=50, log_metric_by_epoch=False),
    checkpoint=dict(by_epoch=False, interval=5000),
    # the model's classes are those of the data set: train on one vocabulary, test on any
    vocabulary=dict(type='openvocab.VocabularyHook', _scope_='mmengine'),
    visualization=dict(type='SegVisualizationHook', _scope_='mmseg'))
log_processor = dict(by_epoch=False)
visualizer = dict(
    type='SegLocalVisualizer',
    vis_backends=[dict(type='LocalVisBackend')],
    name='visualizer',
    _scope_='mmseg')

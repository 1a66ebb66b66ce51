"""F-ViT: what trains, what is fused, what follows the encoder and the vocabulary."""

import json

import pytest
import torch
import torch.nn.functional as F
from mmdet.models import BBoxHead, SingleRoIExtractor
from mmengine.config import ConfigDict

import openvocab.analysis.synthetic_classes  # noqa: F401  (registers a text bank)
from helpers.tiny_fvit import CLASSES, MASKS, NOVEL, batch, build, predict
from openvocab.models.clip_factory import CONFIG_DIR
from openvocab.models.roi_heads import DenseFeatures, fvit_bbox_head


@pytest.fixture(scope='module')
def model():
    return build()


def as_set(sample, digits=3):
    found = sample.pred_instances
    rows = zip(
        found.bboxes.round(decimals=digits).tolist(), found.label_names, strict=True
    )
    scores = found.scores.tolist()
    return {(tuple(box), name): s for (box, name), s in zip(rows, scores, strict=True)}


def test_losses_reach_all_that_trains_and_nothing_frozen():
    model = build().train()
    losses = model(**batch(model, training=True), mode='loss')
    assert {'loss_rpn_cls', 'loss_rpn_bbox', 'loss_cls', 'loss_bbox'} <= set(losses)
    loss, _ = model.parse_losses(losses)
    assert torch.isfinite(loss)
    loss.backward()
    for name, parameter in model.named_parameters():
        if name.startswith('backbone.'):
            assert not parameter.requires_grad and parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
    assert model.roi_head.bbox_head.fc_cls.temperature.grad.abs() > 0
    assert not model.backbone.visual.training


def test_training_keeps_no_activation_of_the_frozen_encoder(model):
    model.train()
    data = batch(model, training=True)
    taps = model.backbone(data['inputs'])
    assert all(t.grad_fn is None and not t.requires_grad for t in taps)
    saved = []
    hooks = torch.autograd.graph.saved_tensors_hooks(
        lambda t: saved.append(t.shape) or t, lambda t: t
    )
    with hooks:
        model.backbone(data['inputs'])
        assert not saved
        model(**data, mode='loss')
    assert saved


def test_novel_classes_are_no_negatives(model):
    head = model.roi_head.bbox_head
    logits = torch.randn(6, 5, requires_grad=True)
    labels = torch.tensor([0, 2, 4, 4, 0, 4])
    losses = head.loss(
        logits, None, torch.zeros(6, 5), labels, torch.ones(6), None, None
    )
    losses['loss_cls'].backward()
    assert torch.isfinite(losses['loss_cls'])
    assert (logits.grad[:, NOVEL + [False]] == 0).all()
    assert (logits.grad[:, [0, 2, 4]] != 0).all()
    # by hand: softmax over base classes and background, background weighted
    kept = logits.detach()[:, [0, 2, 4]].log_softmax(1)
    column = torch.tensor([0, 1, 2, 2, 0, 2])
    weight = torch.tensor([1, 1, 0.6, 0.6, 1, 0.6])
    expected = -(weight * kept[range(6), column]).sum() / 6
    torch.testing.assert_close(losses['loss_cls'].detach(), expected)


def test_a_box_of_a_novel_class_has_no_finite_loss(model):
    model.train()
    data = batch(model, training=True)
    data['data_samples'][0].gt_instances.labels[:] = 1
    assert model(**data, mode='loss')['loss_cls'].isinf()


def test_training_does_not_keep_the_dense_map(model):
    data = batch(model.train(), training=True)
    features = model.extract_feat(data['inputs'])
    assert len(features) == 5 and not hasattr(features, 'dense')
    assert torch.isfinite(model(**data, mode='loss')['loss_cls'])


def test_logits_are_not_taken_for_scores(model):
    data = batch(model.eval(), training=False)
    x = tuple(model.extract_feat(data['inputs']))
    boxes = model.rpn_head.predict(x, data['data_samples'], rescale=False)
    with pytest.raises(TypeError, match=r'DenseFeatures.*eval mode'):
        model.roi_head.predict(x, boxes, data['data_samples'])


def test_prediction_fuses_the_encoders_view_of_the_proposals(model):
    model.eval()
    data = batch(model, training=False)
    x = model.extract_feat(data['inputs'])
    assert isinstance(x, DenseFeatures) and len(x) == 5
    rois = torch.tensor([[0, 4.0, 8, 40, 30], [1, 0, 0, 63, 20], [1, 20, 20, 28, 28]])
    head = model.roi_head
    plain = head._bbox_forward(tuple(x), rois)['cls_score']
    fused = head._bbox_forward(x, rois)['cls_score']
    # the same pooling, by mmdet's extractor
    extractor = SingleRoIExtractor(
        dict(type='RoIAlign', output_size=1, sampling_ratio=0), 96, [8]
    )
    regions = extractor([F.normalize(x.dense, dim=1)], rois).flatten(1)
    text = torch.cat([model.text_bank.rows, model.text_bank.rows_of(['background'])])
    view = (75 * F.normalize(regions, dim=1) @ text.T).softmax(1)
    exponent = torch.tensor([0.1, 0.8, 0.1, 0.8, 0.1])
    expected = plain.softmax(1) ** (1 - exponent) * view**exponent
    torch.testing.assert_close(fused, expected)


def test_a_loss_in_eval_mode_does_not_see_the_dense_map(model, monkeypatch):
    data = batch(model.eval(), training=True)
    x = model.extract_feat(data['inputs'])
    blind = DenseFeatures(x, torch.full_like(x.dense, torch.nan))
    monkeypatch.setattr(model, 'extract_feat', lambda images: blind)
    with torch.no_grad():
        losses = model(**data, mode='loss')
    assert torch.isfinite(losses['loss_cls'])


def test_permuting_the_vocabulary_permutes_the_detections():
    model = build({'test_cfg.rcnn.score_thr': 0.0})
    before = predict(model)
    model.set_vocabulary([CLASSES[i] for i in (2, 0, 3, 1)])
    after = predict(model)
    for one, other in zip(before, after, strict=True):
        one, other = as_set(one), as_set(other)
        assert one.keys() == other.keys() and one
        for key in one:
            assert one[key] == pytest.approx(other[key], rel=1e-4)


@pytest.mark.parametrize('count', [1, 3, 1203])
def test_any_number_of_classes(count):
    model = build({'test_cfg.rcnn.score_thr': 0.0})
    model.set_vocabulary([f'thing number {i}' for i in range(count)])
    found = predict(model)[0].pred_instances
    assert len(found) and found.labels.max() < count
    assert found.label_names[0] == f'thing number {found.labels[0]}'
    assert model.dataset_meta['classes'][-1] == f'thing number {count - 1}'


def test_set_vocabulary_knows_what_was_trained():
    model = build()
    assert model._flags == tuple(NOVEL)
    model.set_vocabulary(['blue star', 'sofa', 'green circle'])
    assert model._flags == (False, True, True)
    exponents = model.roi_head.bbox_head.exponents
    torch.testing.assert_close(exponents, torch.tensor([0.1, 0.8, 0.8, 0.1]))
    model.set_vocabulary(['blue star', 'sofa'], novel=['blue star'])
    assert model._flags == (True, False)
    model.set_vocabulary(CLASSES)
    assert model._flags == tuple(NOVEL)


def test_a_detector_takes_names_given_for_novel():
    model = build()
    head = model.roi_head.bbox_head
    base, held_out = 0.1, 0.8

    def exponents():
        return head.exponents[:-1].tolist()

    for one in ('sofa', ['sofa']):
        model.set_vocabulary(['sofa', 'blue star'], novel=one)
        assert exponents() == pytest.approx([held_out, base])
    with model.using_vocabulary(['sofa', 'blue star'], novel='blue star'):
        assert exponents() == pytest.approx([base, held_out])
    assert exponents() == pytest.approx([held_out, base])
    with model.using_vocabulary(['sofa', 'blue star'], novel=[]):
        assert exponents() == pytest.approx([base, base])
    with pytest.raises(ValueError, match=r"'sof' is not in vocabulary.*'sofa'"):
        model.set_vocabulary(['sofa', 'blue star'], novel='sof')
    # what it was built with says what is novel, not what it was told last
    model.set_vocabulary([dict(name='sofa', split='base'), 'blue star'])
    torch.testing.assert_close(head.exponents, torch.tensor([0.8, 0.1, 0.1]))


def test_every_image_may_bring_its_own_vocabulary():
    model = build({'test_cfg.rcnn.score_thr': 0.0})
    own = ['sofa', 'red star', 'lamp']
    data = batch(model, training=False, images=3)
    alone = batch(model, training=False, images=3)
    data['data_samples'][1].set_metainfo(dict(vocabulary=own))
    with torch.no_grad():
        mixed = model.eval()(**data, mode='predict')
        default = model(**alone, mode='predict')
        assert [as_set(mixed[i]) for i in (0, 2)] == [
            as_set(default[i]) for i in (0, 2)
        ]
        assert set(mixed[1].pred_instances.label_names) <= set(own)
        model.set_vocabulary(own)
        expected = model(**alone, mode='predict')[1]
    mixed, expected = as_set(mixed[1]), as_set(expected)
    assert mixed == {key: pytest.approx(s, rel=1e-4) for key, s in expected.items()}


def test_the_vocabulary_is_in_no_checkpoint_and_survives_loading(tmp_path):
    model = build()
    state = model.state_dict()
    kept = [key for key in state if 'text_bank' in key or 'fc_cls' in key]
    assert kept == ['roi_head.bbox_head.fc_cls.temperature']
    assert not any(key.startswith('backbone.visual') for key in state)
    other = build()
    other.set_vocabulary(['sofa', 'lamp'])
    state['roi_head.bbox_head.fc_cls.temperature'] = torch.tensor(33.0)
    other.load_state_dict(state, strict=True)
    assert other.roi_head.bbox_head.num_classes == 2
    assert other.roi_head.bbox_head.fc_cls.temperature == 33


@pytest.mark.parametrize('sizes', [[(64, 40), (30, 64)], [(50, 50)]])
def test_non_square_images_keep_their_frame(model, sizes):
    found = predict(model, sizes=sizes)
    for sample, (height, width) in zip(found, sizes, strict=True):
        assert sample.batch_input_shape == (64, 64)
        assert sample.img_shape == (height, width)
        boxes = sample.pred_instances.bboxes
        assert boxes[:, 0::2].max() <= width and boxes[:, 1::2].max() <= height


def test_images_without_boxes_and_without_proposals(model):
    model.train()
    losses = model(**batch(model, training=True, boxes=[0, 2]), mode='loss')
    assert torch.isfinite(model.parse_losses(losses)[0])
    losses = model(**batch(model, training=True, boxes=0), mode='loss')
    assert torch.isfinite(model.parse_losses(losses)[0])
    strict = build({'test_cfg.rpn.min_bbox_size': 1000})
    found = predict(strict)[0].pred_instances
    assert len(found) == 0 and found.label_names == []


def test_a_batch_predicts_what_its_images_predict_alone(model):
    together = predict(model, images=2, seed=5)
    data = batch(model, training=False, images=2, seed=5)
    with torch.no_grad():
        for i in range(2):
            alone = model(
                data['inputs'][i : i + 1],
                data['data_samples'][i : i + 1],
                mode='predict',
            )[0]
            assert as_set(alone, 2).keys() == as_set(together[i], 2).keys()


@pytest.mark.parametrize(
    ('arch', 'indices', 'width'),
    [('ov-shapes-u', (0, 1, 2, 3), 96), ('ov-shapes-p', (0, 2, 3, 4), 128)],
)
def test_the_encoder_decides_widths_and_strides(arch, indices, width):
    strides = [2, 4, 8, 16]
    model = build(
        {
            'backbone.arch': arch,
            'backbone.checkpoint': f'openvocab://{arch}',
            'backbone.out_indices': indices,
        }
    )
    generator = model.rpn_head.prior_generator
    assert [s[0] for s in generator.strides] == [*strides, 32]
    assert list(model.roi_head.bbox_roi_extractor.featmap_strides) == strides
    assert model.roi_head.vlm_stride == 8
    assert model.roi_head.bbox_head.fc_cls.in_features == width
    mean = torch.tensor(model.backbone.mean) * 255
    torch.testing.assert_close(model.data_preprocessor.mean.flatten(), mean)
    assert len(predict(model)[0].pred_instances)


def test_wrong_settings_are_named():
    with pytest.raises(ValueError, match='out_indices is empty'):
        build({'backbone.out_indices': ()})
    with pytest.raises(ValueError, match='pad_size_divisor=60 is no multiple of 8'):
        build({'data_preprocessor.pad_size_divisor': 60})
    with pytest.raises(ValueError, match=r'scales has 4 values.*out_indices 3'):
        build({'backbone.out_indices': (1, 2, 3)})
    with pytest.raises(ValueError, match='width 96 but the box head gives 64'):
        build({'roi_head.bbox_head.fc_out_channels': 64})


def test_best_candidates_first_gives_the_same_detections(model):
    head = model.roi_head.bbox_head
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(300, 2, generator=generator) * 40
    rois = torch.cat(
        [torch.zeros(300, 1), corner, corner + 4 + 20 * torch.rand(300, 2)], dim=1
    )
    scores = torch.rand(300, 51, generator=generator) ** 4
    deltas = torch.zeros(300, 4)
    meta = dict(img_shape=(64, 64), scale_factor=(1.0, 1.0))
    for limit, overlap in ((20, 0.4), (100, 0.05), (3000, 0.9)):
        cfg = ConfigDict(
            score_thr=0.01,
            nms=dict(type='nms', iou_threshold=overlap),
            max_per_img=limit,
        )
        quick = head._predict_by_feat_single(
            rois, scores, deltas, img_meta=meta, rcnn_test_cfg=cfg
        )
        plain = BBoxHead._predict_by_feat_single(
            head, rois, scores, deltas, img_meta=meta, rcnn_test_cfg=cfg
        )
        torch.testing.assert_close(quick.scores, plain.scores)
        torch.testing.assert_close(quick.bboxes, plain.bboxes)
        assert (quick.labels == plain.labels).all()


def test_soft_suppression_gets_all_candidates(model, monkeypatch):
    monkeypatch.setattr(fvit_bbox_head, '_FIRST_CANDIDATES', 20)
    shift = 0.2 * torch.arange(20.0)
    crowd = torch.stack([shift, 0 * shift, shift + 40, 0 * shift + 40], dim=1)
    alone = torch.tensor([[200.0, 0, 240, 40]]) + 60 * torch.arange(8)[:, None]
    rois = torch.cat([torch.zeros(28, 1), torch.cat([crowd, alone])], dim=1)
    scores = torch.cat([0.9 - shift / 1e3, torch.full((8,), 0.5)])
    scores = torch.stack([scores, torch.zeros(28)], dim=1)
    cfg = ConfigDict(
        score_thr=0.01, nms=dict(type='soft_nms', iou_threshold=0.3), max_per_img=5
    )
    found = model.roi_head.bbox_head._predict_by_feat_single(
        rois,
        scores,
        torch.zeros(28, 4),
        img_meta=dict(img_shape=(999, 999), scale_factor=(1.0, 1.0)),
        rcnn_test_cfg=cfg,
    )
    # the crowd's scores fall below those of the boxes that stand alone
    torch.testing.assert_close(found.scores, torch.tensor([0.9, 0.5, 0.5, 0.5, 0.5]))


def test_trains_and_predicts_under_bfloat16():
    model = build().train()
    with torch.autocast('cpu', torch.bfloat16):
        losses = model(**batch(model, training=True), mode='loss')
        loss, _ = model.parse_losses(losses)
        found = predict(model)
    loss.backward()
    assert torch.isfinite(loss)
    assert found[0].pred_instances.scores.dtype == torch.float32


def test_masks_belong_to_no_class_and_fit_the_image():
    model = build(MASKS, base='fvit_mask').train()
    data = batch(model, training=True, masks=True)
    losses = model(**data, mode='loss')
    loss, _ = model.parse_losses(losses)
    loss.backward()
    assert 'loss_mask' in losses
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
    assert model.roi_head.mask_head.conv_logits.out_channels == 1
    assert 'rpn_conv.0.bn.weight' in model.rpn_head.state_dict()
    for count in (4, 7):
        model.set_vocabulary([f'thing {i}' for i in range(count)])
        found = predict(model, sizes=[(64, 40), (30, 64)])
        assert [s.pred_instances.masks.shape[1:] for s in found] == [(64, 40), (30, 64)]
        assert found[0].pred_instances.masks.dtype == torch.bool


VISION = dict(
    resnet=dict(image_size=64, layers=[1, 1, 1, 1], width=8, head_width=8),
    convnext=dict(
        image_size=64, timm_model_name='test_convnext', timm_pool='',
        timm_proj='linear'),
)  # fmt: skip


@pytest.mark.parametrize('family', VISION)
def test_encoders_with_stages_need_no_pyramid(family, tmp_path):
    text = dict(
        context_length=40, vocab_size=759, width=16, heads=2, layers=1,
        tokenizer_kwargs=dict(bpe_path=str(CONFIG_DIR / 'ov_shapes_bpe.txt.gz')),
    )  # fmt: skip
    arch = dict(embed_dim=16, vision_cfg=VISION[family], text_cfg=text)
    arch['custom_text'] = family == 'convnext'
    (tmp_path / 'tiny.json').write_text(json.dumps(arch))
    encoder = {
        'backbone.arch': str(tmp_path / 'tiny.json'),
        'backbone.checkpoint': None,
        'text_bank.cache_dir': str(tmp_path),
    }
    with pytest.raises(ValueError, match='set pyramid=None'):
        build(encoder)
    model = build({**encoder, 'pyramid': None}).train()
    strides = [s[0] for s in model.rpn_head.prior_generator.strides]
    assert strides == [4, 8, 16, 32, 64] and model.roi_head.vlm_stride == 32
    loss, _ = model.parse_losses(model(**batch(model, training=True), mode='loss'))
    loss.backward()
    assert not any(p.grad is not None for p in model.backbone.parameters())
    assert len(predict(model, sizes=[(64, 40)])[0].pred_instances)


@pytest.mark.slow
@pytest.mark.parametrize('arch', ['RN50x4-quickgelu', 'convnext_base_w'])
def test_convolutional_encoders_of_real_size(arch):
    config = {
        'backbone.arch': arch,
        'backbone.checkpoint': None,
        'text_bank.type': 'openvocab.SyntheticTextBank',
        'pyramid': None,
    }
    model = build(config).train()
    loss, _ = model.parse_losses(model(**batch(model, training=True), mode='loss'))
    loss.backward()
    assert torch.isfinite(loss)
    assert len(predict(model)[0].pred_instances)

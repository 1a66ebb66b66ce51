import pytest
import torch
from mmengine.runner.checkpoint import get_state_dict
from torch.nn import functional as F

from helpers import tiny_aligners as tiny


def test_loss_is_the_distance_to_the_crop_embeddings(tmp_path):
    model = tiny.clipself(tmp_path)
    batch = tiny.make_batch()
    loss = tiny.compute_loss(model, batch)['loss_distill']

    clip = model.backbone
    mean = 255 * torch.tensor(clip.mean).view(3, 1, 1)
    std = 255 * torch.tensor(clip.std).view(3, 1, 1)
    distances = []
    for image, sample in zip(batch['inputs'], batch['data_samples'], strict=True):
        dense = clip((image.flip(0)[None] - mean) / std)[-1]
        regions = sample.regions
        for box, crop, valid in zip(
            regions.bboxes, regions.crops, regions.crop_valid, strict=True
        ):
            if valid:
                student = model.pooler(dense, [box[None]], 8)
                teacher = clip.encode_image((crop.flip(0)[None] - mean) / std)
                distances.append(1 - F.cosine_similarity(student, teacher))
    torch.testing.assert_close(loss, torch.cat(distances).mean())


def test_teacher_is_the_original_and_stays_so(tmp_path):
    model = tiny.clipself(tmp_path).train()
    crops = torch.randn(2, 3, tiny.CROP, tiny.CROP)
    original = model.backbone.encode_image(crops).detach()
    torch.testing.assert_close(model.teacher(crops), original)
    trainable = {n: p for n, p in model.named_parameters() if p.requires_grad}
    assert trainable and all(name.startswith('backbone.') for name in trainable)
    optimizer = torch.optim.AdamW(trainable.values(), lr=1e-2)
    losses = []
    for _ in range(10):
        loss = tiny.compute_loss(model, tiny.make_batch())['loss_distill']
        optimizer.zero_grad()
        loss.backward()
        assert all(p.grad is not None for p in trainable.values())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    torch.testing.assert_close(model.teacher(crops), original)
    assert not torch.allclose(model.backbone.encode_image(crops), original)
    assert not any(p.grad is not None for p in model.teacher.parameters())


def test_start_from_an_export_keeps_the_original_teacher(tmp_path):
    donor = tiny.clipself(tmp_path)
    path = tmp_path / 'donor.pth'
    state = donor.backbone.export_state_dict()
    torch.save({k: torch.zeros_like(v) for k, v in state.items()}, path)
    pretrained = dict(type='Pretrained', checkpoint=str(path))
    backbone = tiny.encoder(
        tmp_path, 'tiny-u', trainable_blocks=-1, init_cfg=pretrained
    )
    model = tiny.clipself(tmp_path, backbone=backbone)
    model.init_weights()
    assert not model.backbone.visual.conv1.weight.any()
    assert model.teacher.encoder.visual.conv1.weight.any()


def test_checkpoint_holds_the_student_only(tmp_path):
    model = tiny.clipself(tmp_path)
    for state in (model.state_dict(), get_state_dict(model)):
        assert state.pop('teacher.encoder.encoder_record').numel() < 1000
        assert state and all(key.startswith('backbone.') for key in state)
    tiny.clipself(tmp_path).load_state_dict(model.state_dict(), strict=True)


@pytest.mark.parametrize('counts', [(0, 0), (2, 0, 1)])
def test_images_without_regions_and_odd_sizes(tmp_path, counts):
    model = tiny.clipself(tmp_path)
    batch = tiny.make_batch(counts, size=(37, 59))
    loss = tiny.compute_loss(model, batch)['loss_distill']
    assert (loss.item() == 0) == (sum(counts) == 0)
    loss.backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_predict_with_crops(tmp_path):
    model = tiny.clipself(tmp_path, with_crops=True)
    samples = model.val_step(tiny.make_batch())
    assert samples[2].predictions['crops'].region.tolist() == [0, 2, 4]
    assert samples[2].predictions['crops'].topk.shape == (3, 5)


def test_teacher_of_another_width_is_refused(tmp_path):
    with pytest.raises(ValueError, match='CLIPSelf needs one joint space'):
        tiny.clipself(tmp_path, teacher=tiny.encoder(tmp_path, 'tiny-p'))

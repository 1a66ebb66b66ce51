# EVA02-CLIP-B/16 as released. `model = dict(backbone=_base_.encoder)` puts it into a config.
encoder = dict(
    arch='EVA02-B-16', checkpoint='checkpoints/EVA02_CLIP_B_psz16_s8B.pt')

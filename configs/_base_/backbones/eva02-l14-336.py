# EVA02-CLIP-L/14 at 336 px as released.
encoder = dict(
    arch='EVA02-L-14-336', checkpoint='checkpoints/EVA02_CLIP_L_336_psz14_s6B.pt')

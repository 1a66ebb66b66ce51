# Segmentation by CLIP alone in the protocol of SCLIP: smaller images and windows, several
# words for the background of VOC and COCO-Object, SCLIP's names for a few classes. Every
# word is a query. Words that are classes themselves (COCO's bed) drop out.
_base_ = './training_free.py'

ship = [dict(name='boat', synonyms=['boat', 'ship'])]
clothes = ('shirt', 'jeans', 'dress', 'sweater', 'skirt', 'jacket')
people = [
    dict(name='person', synonyms=['person', *(f'person in {c}' for c in clothes)])]
body = [dict(name='person', synonyms=['person', 'body'])]
screen = [
    dict(
        name='tvmonitor',
        synonyms=[
            'television monitor', 'tv monitor', 'monitor', 'television', 'screen'])]

# ProxyCLIP and DeCLIP
voc21 = dict(merge=['background_words_26', 'pascal_voc_20', ship])
voc20 = dict(merge=['pascal_voc_20', ship])
coco_object = dict(merge=['background_words_17', 'coco_80'])
# SCLIP and NACLIP
voc21_people = dict(merge=[*voc21['merge'], people, screen])
voc20_people = dict(merge=[*voc20['merge'], people, screen])
coco_object_people = dict(merge=['background_words_26', 'coco_80', people, body])

model = dict(
    text_bank=dict(vocabulary=dict(voc21, _delete_=True), all_synonyms=True),
    inference=dict(canvas=336, crop=224, stride=112),
    logit_scale=40.0)
# the other data sets: one query per class, no class called background
plain = dict(
    prob_thd=None, area_thd=None, text_bank=dict(all_synonyms=False))

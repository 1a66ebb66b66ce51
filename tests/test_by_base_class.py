from openvocab.by_base_class import by_base_class


class Base:
    pass


class Middle(Base):
    pass


class Leaf(Middle):
    pass


def test_the_nearest_base_class_counts():
    table = {'Base': 1, 'Middle': 2}
    assert by_base_class(table, Base()) == 1
    assert by_base_class(table, Leaf()) == 2
    assert by_base_class(table, object()) is None

"""Which classes a region is told apart from (DenseVLM, Table 3)."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Decoupling:
    """Contrast sets of thing and stuff regions.

    A region always contrasts with the classes of its own kind; the two flags add
    the other kind.

    Attributes:
        thing_sees_stuff: Thing regions contrast with stuff classes as well.
        stuff_sees_thing: Stuff regions contrast with thing classes as well.
    """

    thing_sees_stuff: bool
    stuff_sees_thing: bool

    def contrast_set(self, region_is_thing: Tensor, class_is_thing: Tensor) -> Tensor:
        """Marks the classes of every region's softmax.

        Args:
            region_is_thing: (N,) bool, the kind of each region's retrieved class.
            class_is_thing: (K,) bool.

        Returns:
            (N, K) bool; every row holds at least the retrieved class.
        """
        thing, classes = region_is_thing[:, None], class_is_thing[None]
        mixed = thing != classes
        allowed = ~mixed
        if self.thing_sees_stuff:
            allowed = allowed | (mixed & thing)
        if self.stuff_sees_thing:
            allowed = allowed | (mixed & ~thing)
        return allowed


#: The four rows of the table; the last one is the published method (section 3.2).
DECOUPLINGS: dict[str, Decoupling] = {
    'all_vs_all': Decoupling(True, True),
    'own_set': Decoupling(False, False),
    'thing_vs_all_stuff_vs_stuff': Decoupling(True, False),
    'thing_vs_thing_stuff_vs_all': Decoupling(False, True),
}


def resolve_decoupling(source: str | Decoupling) -> Decoupling:
    """Returns a decoupling by name.

    Raises:
        ValueError: If the name is unknown.
    """
    if isinstance(source, Decoupling):
        return source
    if source not in DECOUPLINGS:
        raise ValueError(f'decoupling {source!r} is not one of {sorted(DECOUPLINGS)}')
    return DECOUPLINGS[source]

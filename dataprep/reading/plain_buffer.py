"""The plain bytes of a file in one growing and shrinking buffer, with the way back to their stored places."""

from collections.abc import Callable, Iterator

from dataprep.reading.pieces import Piece

Source = Callable[[int], Iterator[Piece]]
"""The pieces of a file from a stored offset at which a member begins."""


class PlainBuffer:
    """Bytes that join on to each other: `data`, of which a reader keeps its own position.

    Where damage, or the change between compressed and raw, breaks them off, `more` gives nothing until `go_on`.
    """

    def __init__(self, source: Source, is_compressed: bool) -> None:
        self._source = source
        self._is_compressed = is_compressed
        self._pieces = source(0)
        self._next: Piece | None = None  # the first piece behind a break
        self._is_over = False
        self.clear()

    def clear(self) -> None:
        """Let all bytes go, and the damage."""
        self.data = b""
        self.damage: Piece | None = None  # what broke the bytes off
        self._marks: list[tuple[int, int]] = []  # (position in data, stored offset) of members, ascending
        self._ends_at = -1  # where in data a member was seen to end last
        self._is_broken = False
        self._is_raw = False

    def more(self) -> bool:
        """Put the next bytes behind those that are there; whether there were any that join on."""
        if self._is_broken or self._is_over:
            return False
        piece = next(self._pieces, None) if self._next is None else self._next
        self._next = None
        if piece is None:
            self._is_over = True
            return False
        if piece.damage is not None:
            self.damage, self._is_broken = piece, True
            return False
        if self.data and piece.is_raw != self._is_raw:
            self._next, self._is_broken = piece, True
            return False
        self._is_raw = piece.is_raw
        if piece.begins:
            self._marks.append((len(self.data), piece.offset))
        self.data = self.data + piece.data if self.data else piece.data
        if piece.ends:
            self._ends_at = len(self.data)
        return True

    def go_on(self) -> bool:
        """Whether there are bytes behind the break, which take the place of those before it."""
        self.clear()
        return not self._is_over

    def ends_at(self, position: int) -> bool:
        """Whether a member, or all there is, is known to end there."""
        return self._ends_at == position or (position == len(self.data) and (self._is_over or self._is_broken))

    def is_sound(self, position: int) -> bool:
        """Whether bytes well behind `position` were read, or its member's end."""
        return self._ends_at >= position or len(self.data) - position >= len(b"\r\n\r\n")

    def offset_at(self, position: int) -> int:
        """Where in the stored file a reader starts again to find `position`: the byte, or the member that it is in."""
        offset, distance = self.place_at(position)
        return offset if self._is_compressed and not self._is_raw else offset + distance

    def place_at(self, position: int) -> tuple[int, int]:
        """(stored offset of a member, plain bytes behind its beginning)."""
        for start, offset in reversed(self._marks):
            if start <= position:
                return offset, position - start
        return 0, position

    def drop(self, position: int) -> None:
        """Let the bytes before `position` go: it is 0 from now on."""
        if position == 0:
            return
        if position == len(self.data):
            self.data = b""
            self._marks = [(start - position, offset) for start, offset in self._marks[-1:]]
            self._ends_at -= position
            return
        self.data = self.data[position:]
        before = [mark for mark in self._marks if mark[0] <= position][-1:]
        behind = [mark for mark in self._marks if mark[0] > position]
        self._marks = [(start - position, offset) for start, offset in before + behind]
        self._ends_at -= position

    def return_to(self, place: tuple[int, int]) -> None:
        """Start again at what `place_at` gave."""
        offset, distance = place
        self.clear()
        self._next, self._is_over = None, False
        if not self._is_compressed:
            self._pieces = self._source(offset + distance)
            return
        self._pieces = self._source(offset)
        while self.more() and len(self.data) < distance:
            distance -= len(self.data)
            self.drop(len(self.data))
        self.drop(distance)

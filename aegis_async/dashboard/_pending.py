"""Which collections are yet to be read: wanted, asked for, or to be asked for once more."""

import asyncio

__all__ = ["Pending"]


class Pending:
    """The ids of collections that are yet to be read, each in one of three states."""

    def __init__(self) -> None:
        self._wanted: set[int] = set()  # changed, and not asked for yet
        self._loading: set[int] = set()  # asked for, and not here yet
        self._failed: set[int] = set()  # could not be read, and are asked for again after a while
        self._asked = asyncio.Event()

    def __len__(self) -> int:
        return len(self._wanted | self._loading | self._failed)

    @property
    def failed(self) -> bool:
        """Whether there is one that could not be read."""
        return bool(self._failed)

    def want(self, collection_id: int) -> None:
        """Note that a collection has changed."""
        self._wanted.add(collection_id)
        self._asked.set()

    async def taken(self) -> list[int]:
        """Wait until some are wanted, and give them: from now on they are asked for."""
        await self._asked.wait()
        self._asked.clear()
        self._loading, self._wanted = self._wanted, set()
        return sorted(self._loading)

    def answered(self, collection_id: int, *, failed: bool) -> bool:
        """Note that a collection is here, or could not be read; False where it was dropped after it was asked for."""
        if collection_id not in self._loading:
            return False
        self._loading.remove(collection_id)
        (self._failed.add if failed else self._failed.discard)(collection_id)
        return True

    def give_back(self) -> None:
        """Want again what was asked for and has no answer, because the asking ended."""
        if self._loading:
            self._asked.set()
        self._wanted |= self._loading
        self._loading = set()

    def try_again(self) -> None:
        """Want again what could not be read."""
        if self._failed:
            self._wanted |= self._failed
            self._asked.set()

    def drop(self, collection_id: int) -> None:
        """Want no more of a collection that is gone, be it asked for."""
        for ids in (self._wanted, self._loading, self._failed):
            ids.discard(collection_id)

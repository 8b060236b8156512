"""How long checked letters are locked, where the object store can lock."""

from datetime import datetime, timedelta

from services.documents.settings import DocumentsSettings
from shared.runtime.logs import log
from shared.runtime.objects import Lock, ObjectStore, ObjectStoreError


class Retention:
    """The lock of letters and receipts; asks the store once whether it has such a thing."""

    def __init__(self, store: ObjectStore, settings: DocumentsSettings) -> None:
        self._store = store
        self._days, self._mode = timedelta(days=settings.retention_days), settings.retention_mode
        self._can_lock: bool | None = None

    async def look(self) -> None:
        """Say at start whether letters will be locked; a store that is away is asked again with the first letter."""
        try:
            await self._ask()
        except ObjectStoreError:
            log.warning("whether letters can be locked is not known: the object store is away")

    async def lock_of(self, moment: datetime) -> Lock | None:
        """The lock of a letter judged at ``moment``; None where the store has none.

        Raises:
            ObjectStoreError: the store is away, and was never asked.
        """
        return Lock(moment + self._days, self._mode) if await self._ask() else None

    async def _ask(self) -> bool:
        if self._can_lock is None:
            self._can_lock = await self._store.can_lock()
            if self._can_lock:
                log.info("letters are locked", days=self._days.days, mode=self._mode)
            else:
                log.warning("letters are not locked: the object store has no object lock")
        return self._can_lock

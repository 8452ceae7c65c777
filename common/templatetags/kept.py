"""{% kept "containers/_row.html" container.key %}: includes a template whose text depends on nothing but a key, and keeps
the text for the next reader with the same key: the rows of a busy table are rendered once, not once for each viewer."""

import threading
from collections import OrderedDict
from collections.abc import Hashable

from django import template
from django.template.context import RequestContext
from django.utils.safestring import SafeString

register = template.Library()
CHARACTERS_AT_MOST = 8_000_000


class Kept:
    """The texts that were used last, up to so many characters."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._texts: OrderedDict[Hashable, SafeString] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> SafeString | None:
        """The text of `key`, if it is still there."""
        with self._lock:
            found = self._texts.get(key)
            if found is not None:
                self._texts.move_to_end(key)
            return found

    def put(self, key: Hashable, text: SafeString) -> None:
        """Keeps a text; the ones that nobody has asked for longest go."""
        with self._lock:
            self._characters += len(text) - len(self._texts.pop(key, ""))
            self._texts[key] = text
            while self._characters > self._at_most:
                _, gone = self._texts.popitem(last=False)
                self._characters -= len(gone)

    def __len__(self) -> int:
        return len(self._texts)


texts = Kept(CHARACTERS_AT_MOST)


@register.simple_tag(takes_context=True)
def kept(context: RequestContext, name: str, key: Hashable) -> SafeString:
    """The template `name` with this context; `key` holds all that its text depends on, rights and language too."""
    found = texts.get((name, key))
    if found is None:
        found = context.template.engine.get_template(name).render(context)  # type: ignore[union-attr]
        texts.put((name, key), found)
    return found

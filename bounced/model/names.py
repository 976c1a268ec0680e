"""What the names that people give may look like, wherever they give them."""

from typing import Final

#: Characters of the name of a scope.
SCOPE_LENGTH: Final = 64
#: No control characters, and none that turn the direction of text or cannot be seen. Python and ECMA 262 read it alike.
PRINTABLE: Final = r"^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+$"

"""What other rooms hear about people.

`person_erased` comes inside the transaction that erases (`person`): remove what they wrote.
`access_ended` comes after the commit that took access away or changed the password (`person`):
close what is open in their name.
"""

from django.dispatch import Signal

person_erased = Signal()
access_ended = Signal()

"""What a person sees in a cell: cards, tables, charts, forms, quizzes.

This room only renders. `shown.py` has `Shown`, the object that prints itself as text and as HTML; `html.py` escapes;
`tables.py` and `cards.py` are what actions return; `axes.py` and `charts.py` draw. It takes what it shows from its
callers and imports nothing above it.

>>> Note("Ready for 05 alarm.")                             # doctest: +SKIP
"""

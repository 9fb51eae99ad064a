"""The public record of the Algorithmic Transparency Recording Standard, made from a card.

- ``taken.py``    what a draft takes from a card
- ``about.py``    drafts about the tool, its owners and its use (tier 1; 2.1, 2.2, 2.3, 2.5)
- ``technical.py``  drafts about the tool and its model (2.4.1, 2.4.2)
- ``data.py``     drafts about its data (2.4.3, 2.4.4)
- ``phase.py``    how far the tool has come, from its review
- ``atrs.py``     the record: each field drafted, confirmed or empty, with its owner; and its gaps
"""

"""N-gram language models: counting, smoothing, and a look at what each probability is made of.

>>> model = NGramModel.train([[0, 1, 0, 1], [0, 1]], order=2, vocab_size=3)
>>> model.count_table([0])
(array([1], dtype=int32), array([3], dtype=int32))
"""

from engine.models.ngram.counting import HIGHEST_ORDER, NGramCounts
from engine.models.ngram.model import NGramModel, Share, Smoothing

__all__ = ["HIGHEST_ORDER", "NGramCounts", "NGramModel", "Share", "Smoothing"]

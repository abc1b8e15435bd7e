"""The science of Next Token Lab: texts, tokenizers, language models, training, generation.

Nothing in this package imports Qt or the ``gui`` package, so that it can be read, tested and
reused by itself. Only ``engine.models.transformer``, ``engine.training`` and
``engine.posttraining`` import torch; tokenizers, n-grams and the story language need numpy alone.
"""

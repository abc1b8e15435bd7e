"""Text becomes tokens: characters, bytes, words, and byte-pair encoding."""

from engine.tokenizers.base import Ids, Tokenizer, to_utf8
from engine.tokenizers.bpe import BPETokenizer
from engine.tokenizers.bpe_train import Merge
from engine.tokenizers.characters import ByteTokenizer, CharacterTokenizer
from engine.tokenizers.files import tokenizer_from_dict
from engine.tokenizers.stream import TokenStream, encode_documents
from engine.tokenizers.words import WordTokenizer

__all__ = [
    "BPETokenizer",
    "ByteTokenizer",
    "CharacterTokenizer",
    "Ids",
    "Merge",
    "TokenStream",
    "Tokenizer",
    "WordTokenizer",
    "encode_documents",
    "to_utf8",
    "tokenizer_from_dict",
]

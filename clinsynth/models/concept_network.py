"""The network for pairs of concepts: all pairs of a text from one pass of the encoder over it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

HEADS = 12
TINY = 1e-30  # keeps the logarithm of a padded pair's empty sum finite
EVEN = 1e-5  # what two concepts attend to is spread evenly where they attend to nothing together


class ConceptNetwork(nn.Module):
    """Logits ``[batch, pairs, classes]``, the first class being that of no relation.

    After Zhou et al. 2021 (ATLOP): a concept is the log-sum-exp of the hidden states at its mentions' first
    markers; each pair gets the context that both of its concepts attend to; a bilinear layer over groups of
    ``block`` hidden units scores the classes. ATLOP takes the attention of the encoder's last layer; here it
    is a layer of its own, in which only the markers ask, so that the encoder may use whatever kernels it has.

    Args:
        encoder: A pretrained encoder.
        classes: Number of classes.
        dropout: Share of a pair's representation that is set to zero in training.
        block: Hidden units of a group.
    """

    def __init__(self, encoder: PreTrainedModel, classes: int, dropout: float, block: int = 64) -> None:
        super().__init__()
        size = int(encoder.config.hidden_size)
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.query = nn.Linear(size, size)
        self.key = nn.Linear(size, size)
        self.head = nn.Linear(2 * size, size)
        self.tail = nn.Linear(2 * size, size)
        self.block = math.gcd(size, block)
        self.scores = nn.Parameter(torch.empty(classes, size // self.block, self.block, self.block))
        bound = 1 / math.sqrt(size * self.block)  # that of a linear layer over all products
        nn.init.uniform_(self.scores, -bound, bound)
        self.bias = nn.Parameter(torch.zeros(classes))
        self.heads = math.gcd(size, HEADS)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, anchors: Tensor, marks: Tensor, pairs: Tensor
    ) -> Tensor:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        places, concepts = marks[..., 0].clamp(min=0), marks[..., 1]
        marked = hidden.gather(1, places.unsqueeze(-1).expand(-1, -1, hidden.size(-1)))
        # the attention mask may come as [batch, 1, length, length], see exporting
        seen = attention_mask if attention_mask.ndim == 2 else attention_mask[:, 0, 0]
        attended = self._attended(hidden, marked, seen)
        with torch.autocast(hidden.device.type, enabled=False):  # sums of exponentials need all digits
            # which mentions are of a pair's head, and of its tail: [batch, pairs, mentions]
            of_head, of_tail = (
                (pairs[..., side].unsqueeze(-1) == concepts.unsqueeze(1)).float() for side in (0, 1)
            )
            context = _shared(attended.float(), of_head, of_tail) @ hidden.float()
            marked = marked.float()
            head, tail = (_log_sum_exp(marked, members) for members in (of_head, of_tail))
        head = torch.tanh(self.head(self.dropout(torch.cat([head, context], dim=-1))))
        tail = torch.tanh(self.tail(self.dropout(torch.cat([tail, context], dim=-1))))
        return self._bilinear(head, tail)

    def _attended(self, hidden: Tensor, marked: Tensor, seen: Tensor) -> Tensor:
        """What each marker attends to, ``[batch, heads, mentions, length]``."""
        query, key = (
            layer(x).reshape(x.size(0), x.size(1), self.heads, -1).transpose(1, 2)
            for layer, x in ((self.query, marked), (self.key, hidden))
        )
        scores = query @ key.transpose(2, 3) / math.sqrt(query.size(-1))
        chances: Tensor = scores.float().masked_fill(seen[:, None, None] == 0, -1e4).softmax(-1)
        return chances

    def _bilinear(self, head: Tensor, tail: Tensor) -> Tensor:
        """Logits of pairs ``[batch, pairs, size]``, without a product of all units of each pair in memory."""
        head, tail = (x.reshape(x.size(0), x.size(1), -1, self.block) for x in (head, tail))
        logits = [
            (torch.einsum("bpgi,gij->bpgj", head, weights) * tail).sum(dim=(-2, -1))
            for weights in self.scores
        ]
        return torch.stack(logits, dim=-1) + self.bias


def _shared(attended: Tensor, of_head: Tensor, of_tail: Tensor) -> Tensor:
    """What the concepts of each pair attend to together, ``[batch, pairs, length]``, summing to one."""
    sides = [members / members.sum(-1, keepdim=True).clamp(min=1) for members in (of_head, of_tail)]
    # head by head: all at once would be as many numbers again as there are heads
    products = [(sides[0] @ attention) * (sides[1] @ attention) for attention in attended.unbind(1)]
    both = torch.stack(products).mean(0)
    return both / (both.sum(-1, keepdim=True) + EVEN)


def _log_sum_exp(marked: Tensor, members: Tensor) -> Tensor:
    """Over the mentions of each pair's concept: ``[batch, pairs, size]``."""
    peak = marked.amax(dim=1, keepdim=True).detach()
    return (members @ (marked - peak).exp()).clamp(min=TINY).log() + peak

"""The networks: an encoder and a linear head, for each token or for each marked pair."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel


class TokenNetwork(nn.Module):
    """Logits ``[batch, length, classes]`` from the hidden state of each token."""

    def __init__(self, encoder: PreTrainedModel, classes: int, dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(encoder.config.hidden_size, classes)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, anchors: Tensor) -> Tensor:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        logits: Tensor = self.head(self.dropout(hidden))
        return logits


class PairNetwork(nn.Module):
    """Logits ``[batch, classes]`` from the hidden states of the first token and of both marks.

    The representation by entity starts is that of Baldini Soares et al. 2019, "Matching the Blanks".
    """

    def __init__(self, encoder: PreTrainedModel, classes: int, dropout: float) -> None:
        super().__init__()
        size = encoder.config.hidden_size
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.dense = nn.Linear(3 * size, size)
        self.head = nn.Linear(size, classes)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, anchors: Tensor) -> Tensor:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        places = torch.cat([torch.zeros_like(anchors[:, :1]), anchors], dim=1)
        chosen = hidden.gather(1, places.unsqueeze(-1).expand(-1, -1, hidden.size(-1)))
        joined = torch.tanh(self.dense(self.dropout(chosen.flatten(1))))
        logits: Tensor = self.head(self.dropout(joined))
        return logits

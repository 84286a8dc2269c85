"""The guide's scenarios (SH 六(五)) as scripts at the agent's hand, and the sheets of answers that they leave."""

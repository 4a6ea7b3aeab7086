//! Assigns the expense category: the organisation's memory first, then a model. Pure.

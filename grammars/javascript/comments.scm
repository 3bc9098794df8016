; Where suppressions may stand.
(comment) @comment

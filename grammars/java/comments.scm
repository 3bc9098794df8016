; Where suppressions may stand.
(line_comment) @comment
(block_comment) @comment

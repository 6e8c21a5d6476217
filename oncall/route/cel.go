package route

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
	"cel.dev/cel-go/parser"

	"github.com/watchbill/watchbill/oncall"
)

// Limits of an expression.
const (
	// costLimit is the maximum cost of an expression, in CEL's units; that much takes some
	// milliseconds. All expressions of a list together have the same limit for one alert.
	costLimit = 200_000
	// memoryLimit is the maximum number of elements of a computed value.
	memoryLimit    = 1 << 20
	maxExpression  = 4_000 // bytes
	maxNesting     = 50
	maxRegexSize   = 1_000
	interruptEvery = 100 // iterations of a loop
)

// The errors of evaluation. Cost is deterministic; running out of time is not.
var (
	errCost    = fmt.Errorf("it costs more than %d steps", costLimit)
	errMemory  = errors.New("it computes more than can be held")
	errNoTime  = errors.New("there was no time left to evaluate it")
	errNotBool = errors.New("it must say true or false")
)

// An expression is parsed and checked CEL.
type expression struct {
	program cel.Program
	reads   bool // its value depends on the input
}

// The environments are created for the first expression, because most installations have none.
var (
	ruleEnv    = sync.OnceValues(func() (*cel.Env, error) { return newEnv(ruleVariables()) })
	mappingEnv = sync.OnceValues(func() (*cel.Env, error) { return newEnv(mappingVariables()) })
)

func newEnv(variables []cel.EnvOption) (*cel.Env, error) {
	macros := []cel.Macro{cel.GlobalMacro("has", 1, makeHas)}
	for _, m := range cel.StandardMacros {
		if m.Function() != operators.Has {
			macros = append(macros, m)
		}
	}
	return cel.NewEnv(append([]cel.EnvOption{
		cel.ClearMacros(), cel.Macros(macros...),
		cel.CrossTypeNumericComparisons(true), cel.CustomTypeAdapter(ordered{types.DefaultTypeAdapter}),
		cel.ParserExpressionSizeLimit(maxExpression), cel.ParserRecursionLimit(maxNesting), cel.RegexProgramSizeLimit(maxRegexSize),
		cel.Function("get",
			cel.Overload("get_path", []*cel.Type{cel.DynType, cel.StringType}, cel.DynType, cel.BinaryBinding(func(value, path ref.Val) ref.Val {
				return get(value, path, types.String(""))
			})),
			cel.Overload("get_path_default", []*cel.Type{cel.DynType, cel.StringType, cel.DynType}, cel.DynType, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
				return get(args[0], args[1], args[2])
			})),
		),
		cel.Function("lower", cel.Overload("lower_string", []*cel.Type{cel.StringType}, cel.StringType, cel.UnaryBinding(func(text ref.Val) ref.Val {
			s, ok := text.(types.String)
			if !ok {
				return types.MaybeNoSuchOverloadErr(text)
			}
			return types.String(strings.ToLower(string(s)))
		}))),
	}, variables...)...)
}

// texts are the maps of strings in which a missing key reads as "".
var texts = map[string]bool{"labels": true, "details": true}

func mappingVariables() []cel.EnvOption {
	return []cel.EnvOption{cel.Variable("payload", cel.DynType), cel.Variable("item", cel.DynType)}
}

func ruleVariables() []cel.EnvOption {
	var all []cel.EnvOption
	for name := range fields {
		all = append(all, cel.Variable(name, cel.StringType))
	}
	for name := range named {
		all = append(all, cel.Variable(name, cel.MapType(cel.StringType, cel.StringType)))
	}
	return all
}

// makeHas lets has(labels.x) test for presence, since a missing label reads as "".
func makeHas(eh parser.ExprHelper, target ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
	if args[0].Kind() == ast.SelectKind {
		s := args[0].AsSelect()
		if of := s.Operand(); of.Kind() == ast.IdentKind && texts[of.AsIdent()] {
			return eh.NewCall(operators.In, eh.NewLiteral(types.String(s.FieldName())), eh.NewIdent(of.AsIdent())), nil
		}
	}
	return parser.MakeHas(eh, target, args)
}

// compile compiles an expression, which must have one of the given types, if any are given.
func compile(env *cel.Env, written string, gives ...*cel.Type) (*expression, error) {
	if len(written) > maxExpression {
		return nil, fmt.Errorf("it is longer than %d characters", maxExpression)
	}
	checked, issues := env.Compile(written)
	if err := issues.Err(); err != nil {
		return nil, errors.New(fault(issues, env))
	}
	ok := len(gives) == 0
	for _, t := range gives {
		ok = ok || checked.OutputType().IsExactType(t)
	}
	if !ok {
		return nil, fmt.Errorf("it gives %s; it must give %s", checked.OutputType(), gives[0])
	}
	program, err := env.Program(checked, cel.CostLimit(costLimit), cel.MemoryLimit(memoryLimit), cel.InterruptCheckFrequency(interruptEvery),
		cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, err
	}
	e := &expression{program: program}
	ast.PostOrderVisit(checked.NativeRep().Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() == ast.IdentKind {
			for _, v := range env.Variables() {
				e.reads = e.reads || v.Name() == x.AsIdent()
			}
		}
	}))
	return e, nil
}

// fault describes in one line what is wrong with an expression, where, and what was probably meant.
func fault(issues *cel.Issues, env *cel.Env) string {
	first := issues.Errors()[0]
	problem, _, _ := strings.Cut(first.Message, " (in container")
	problem = strings.TrimPrefix(problem, "Syntax error: ")
	if _, name, undeclared := strings.Cut(problem, "undeclared reference to '"); undeclared {
		name, _, _ = strings.Cut(name, "'")
		var names []string
		for _, v := range env.Variables() {
			names = append(names, v.Name())
		}
		for f := range env.Functions() {
			if !strings.ContainsAny(f, "@_") {
				names = append(names, f)
			}
		}
		problem = fmt.Sprintf("there is no %q", name)
		if guess := oncall.Nearest(name, names); guess != "" {
			problem += fmt.Sprintf("; did you mean %q?", guess)
		}
	}
	if problem, _, _ = strings.Cut(problem, " expecting {"); strings.HasPrefix(problem, "mismatched input '<EOF>'") {
		problem = "it ends too early"
	}
	if _, _, single := strings.Cut(problem, "token recognition error at: '= '"); single {
		problem = `"=" can't stand there; did you mean "=="?`
	}
	return fmt.Sprintf("at character %d: %s", first.Location.Column()+1, problem)
}

// eval evaluates the expression and returns its cost, even if it fails.
func (e *expression) eval(ctx context.Context, vars map[string]any) (ref.Val, uint64, error) {
	value, details, err := e.program.ContextEval(ctx, vars)
	cost := uint64(costLimit)
	if c := details.ActualCost(); c != nil {
		cost = *c
	}
	if err == nil {
		return value, cost, nil
	}
	cancelled, ok := errors.AsType[interpreter.EvalCancelledError](err)
	switch {
	case ctx.Err() != nil:
		return nil, cost, fmt.Errorf("%w: %w", errNoTime, ctx.Err())
	case ok && cancelled.Cause == interpreter.CostLimitExceeded:
		return nil, cost, errCost
	case ok && strings.Contains(cancelled.Message, "memory"):
		return nil, cost, errMemory
	}
	return nil, cost, errors.New(strings.TrimPrefix(err.Error(), "no such overload: "))
}

// OutOfTime reports whether a rule or mapping ran out of time, which may not happen again.
func OutOfTime(err error) bool { return errors.Is(err, errNoTime) }

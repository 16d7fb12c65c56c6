//! Messages to domain values and back.

use acai_sweep::configuration::Configuration;
use acai_sweep::metric::Goal;
use acai_sweep::run::RunState;
use acai_sweep::scalar::Scalar;

use crate::v1;

/// A field of a message that makes no sense; as a status it is INVALID_ARGUMENT.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
pub struct FieldError {
    field: String,
    problem: String,
}

impl FieldError {
    /// Says what is wrong with `field`, such as "is missing".
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        FieldError { field: field.into(), problem: problem.into() }
    }
}

impl From<FieldError> for tonic::Status {
    fn from(error: FieldError) -> Self {
        tonic::Status::invalid_argument(error.to_string())
    }
}

/// A configuration on the wire.
#[must_use]
pub fn parameters(configuration: &Configuration) -> Vec<v1::Parameter> {
    let own = |(name, value): (&String, _)| v1::Parameter { own: true, ..parameter(name, value) };
    let of_table = configuration.of_table().map(|(name, value)| parameter(name, value));
    of_table.chain(configuration.own().iter().map(own)).collect()
}

/// One parameter on the wire.
#[must_use]
pub fn parameter(name: &str, value: &Scalar) -> v1::Parameter {
    use v1::parameter::Value;
    let value = match value {
        Scalar::Int(integer) => Value::Integer(*integer),
        Scalar::Float(number) => Value::Number(*number),
        Scalar::Word(word) => Value::Word(word.clone()),
    };
    v1::Parameter { name: name.to_owned(), value: Some(value), own: false }
}

/// A parameter's value from the wire.
///
/// # Errors
/// [`FieldError`] where it has none.
pub fn scalar(parameter: &v1::Parameter) -> Result<Scalar, FieldError> {
    use v1::parameter::Value;
    match &parameter.value {
        Some(Value::Integer(integer)) => Ok(Scalar::Int(*integer)),
        Some(Value::Number(number)) => Ok(Scalar::Float(*number)),
        Some(Value::Word(word)) => Ok(Scalar::Word(word.clone())),
        None => Err(FieldError::new(format!("configuration.{}", parameter.name), "has no value")),
    }
}

/// A configuration from the wire, every parameter checked. It has been resolved by who sends it: a
/// parameter that is missing is no reason to fill in a default, which may be another one there. An
/// earlier version lacks parameters that were added since, and means what was in effect then.
///
/// # Errors
/// [`FieldError`] that names the parameter.
pub fn configuration(parameters: &[v1::Parameter]) -> Result<Configuration, FieldError> {
    let pair = |parameter: &v1::Parameter| Ok((parameter.name.clone(), scalar(parameter)?));
    let pairs = |own: bool| -> Result<Vec<_>, FieldError> {
        parameters.iter().filter(|parameter| parameter.own == own).map(pair).collect()
    };
    let own = pairs(true)?;
    Configuration::resolved(pairs(false)?)
        .and_then(|configuration| configuration.with_own(own))
        .map_err(|error| FieldError::new("configuration", format!("makes no sense: {error}")))
}

impl From<RunState> for v1::RunState {
    fn from(state: RunState) -> Self {
        match state {
            RunState::Queued => v1::RunState::Queued,
            RunState::Running => v1::RunState::Running,
            RunState::Paused => v1::RunState::Paused,
            RunState::Completed => v1::RunState::Completed,
            RunState::Stopped => v1::RunState::Stopped,
            RunState::Diverged => v1::RunState::Diverged,
            RunState::Failed => v1::RunState::Failed,
            RunState::Lost => v1::RunState::Lost,
            RunState::Cancelled => v1::RunState::Cancelled,
        }
    }
}

/// A run's state from the wire.
///
/// # Errors
/// [`FieldError`] for a number that is no state.
pub fn run_state(field: &str, state: i32) -> Result<RunState, FieldError> {
    match v1::RunState::try_from(state) {
        Ok(v1::RunState::Queued) => Ok(RunState::Queued),
        Ok(v1::RunState::Running) => Ok(RunState::Running),
        Ok(v1::RunState::Paused) => Ok(RunState::Paused),
        Ok(v1::RunState::Completed) => Ok(RunState::Completed),
        Ok(v1::RunState::Stopped) => Ok(RunState::Stopped),
        Ok(v1::RunState::Diverged) => Ok(RunState::Diverged),
        Ok(v1::RunState::Failed) => Ok(RunState::Failed),
        Ok(v1::RunState::Lost) => Ok(RunState::Lost),
        Ok(v1::RunState::Cancelled) => Ok(RunState::Cancelled),
        Ok(v1::RunState::Unspecified) | Err(_) => Err(FieldError::new(field, "is not a state of a run")),
    }
}

impl From<Goal> for v1::Goal {
    fn from(goal: Goal) -> Self {
        match goal {
            Goal::Minimize => v1::Goal::Minimize,
            Goal::Maximize => v1::Goal::Maximize,
        }
    }
}

/// A metric's goal from the wire; `None` where it has no direction.
///
/// # Errors
/// [`FieldError`] for a number that is no goal.
pub fn goal(field: &str, goal: i32) -> Result<Option<Goal>, FieldError> {
    match v1::Goal::try_from(goal) {
        Ok(v1::Goal::Unspecified) => Ok(None),
        Ok(v1::Goal::Minimize) => Ok(Some(Goal::Minimize)),
        Ok(v1::Goal::Maximize) => Ok(Some(Goal::Maximize)),
        Err(_) => Err(FieldError::new(field, "is neither `minimize` nor `maximize`")),
    }
}

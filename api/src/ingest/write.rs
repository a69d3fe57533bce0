//! Rows written by natural key: new ones made, those that differ changed, the others left untouched.

use sea_orm::sea_query::{Alias, BinOper, Expr, ExprTrait, OnConflict, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IdenStatic, IntoActiveModel,
    Iterable, PaginatorTrait, QueryTrait,
};
use std::marker::PhantomData;

use super::load::Load;
use super::told;
use crate::db::Transaction;

/// Values bound by one statement: below the 32 766 of SQLite and the 65 535 of PostgreSQL, and small enough
/// that a cached statement weighs little.
const BINDS: usize = 8_000;

/// How rows of a table are recognised and what happens to those that exist.
pub(super) struct Rule<C: 'static> {
    /// Columns of the natural key, as the unique index has them.
    pub key: &'static [C],
    /// Condition of that index, if it is a partial one.
    pub only: Option<&'static str>,
    /// Columns that follow the source. None: what exists is left as it is.
    pub follow: &'static [C],
}

/// Writes rows of one table and counts what became of them.
pub(super) struct Writer<E: EntityTrait> {
    rule: Rule<E::Column>,
    before: u64,
    given: u64,
    touched: u64,
    table: PhantomData<E>,
}

impl<E> Writer<E>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<E::ActiveModel> + Sync,
    E::ActiveModel: Send,
{
    /// Begins with the rows that are there.
    pub async fn new(tx: &Transaction, rule: Rule<E::Column>) -> Result<Self, DbErr> {
        Ok(Self { rule, before: E::find().count(tx).await?, given: 0, touched: 0, table: PhantomData })
    }

    /// Writes rows; no two of them may have the same key.
    pub async fn write(&mut self, tx: &Transaction, rows: Vec<E::Model>) -> Result<(), DbErr> {
        self.given += rows.len() as u64;
        let batch = BINDS / E::Column::iter().count();
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let models = rows.by_ref().take(batch).map(IntoActiveModel::into_active_model);
            let mut insert = E::insert_many(models).on_conflict(conflict::<E>(&self.rule));
            self.touched += tx.execute(QueryTrait::query(&mut insert)).await?.rows_affected();
        }
        Ok(())
    }

    /// Adds what was done to the report, and journals it for those who may follow.
    pub async fn finish(self, load: &mut Load<'_>) -> Result<(), DbErr> {
        if load.is_followed && self.touched > 0 {
            told::tell(load.tx, E::default().table_name(), load.now).await?;
        }
        let created = E::find().count(load.tx).await?.saturating_sub(self.before);
        load.report.created += created;
        load.report.updated += self.touched.saturating_sub(created);
        load.report.unchanged += self.given.saturating_sub(self.touched);
        Ok(())
    }
}

/// Writes new rows, and answers how many.
pub(crate) async fn insert<E, A>(tx: &Transaction, rows: Vec<E::Model>) -> Result<u64, DbErr>
where
    E: EntityTrait<ActiveModel = A>,
    E::Model: IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = E> + Send,
{
    let (mut written, batch) = (0, BINDS / E::Column::iter().count());
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let models = rows.by_ref().take(batch).map(IntoActiveModel::into_active_model);
        written += E::insert_many(models).exec_without_returning(tx).await?;
    }
    Ok(written)
}

fn conflict<E: EntityTrait>(rule: &Rule<E::Column>) -> OnConflict {
    let mut conflict = OnConflict::columns(rule.key.iter().copied());
    conflict.target_and_where_option(rule.only.map(Expr::cust));
    if rule.follow.is_empty() {
        return conflict.do_nothing().to_owned();
    }
    conflict.update_columns(rule.follow.iter().copied());
    if let Some(version) = column::<E>("version") {
        conflict.value(version, stored::<E>(version).add(1));
        conflict.update_columns(column::<E>("updated_at"));
    }
    let differs = rule.follow.iter().map(|&column| {
        let given = Expr::col((Alias::new("excluded"), column));
        stored::<E>(column).binary(BinOper::Custom("IS DISTINCT FROM"), given)
    });
    conflict.action_and_where_option(differs.reduce(ExprTrait::or)).to_owned()
}

fn stored<E: EntityTrait>(column: E::Column) -> SimpleExpr {
    Expr::col(column.as_column_ref())
}

fn column<E: EntityTrait>(name: &str) -> Option<E::Column> {
    E::Column::iter().find(|column| column.as_str() == name)
}

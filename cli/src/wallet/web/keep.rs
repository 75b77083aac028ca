//! Backups: the wallet as one encrypted file, and back.

use std::sync::Arc;

use axum::extract::multipart::{Field, MultipartRejection};
use axum::extract::{Multipart, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use vouchsafe_service::http::StrictForm;
use vouchsafe_wallet_core::WalletError;
use vouchsafe_wallet_core::backup::{MIN_PASSPHRASE, Restored};
use vouchsafe_wallet_core::storage::KdfParams;

use super::app::App;
use super::error::Problem;
use super::shell::Visitor;

/// The largest backup that is taken in over a page; the command line takes larger ones.
pub(super) const LARGEST_BACKUP: usize = 64 * 1024 * 1024;

/// Making one, taking one in, and the cards that wait for their issuers.
pub(super) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    page(&app, &app.visitor(&headers), None).await
}

async fn page(app: &App, visitor: &Visitor, problem: Option<&str>) -> Response {
    let core = app.wallet.core();
    let waiting = core.to_reissue(&visitor.languages());
    let left_behind = core.left_behind_by_backups().await;
    match waiting.and_then(|waiting| Ok((waiting, left_behind?))) {
        Ok((waiting, left_behind)) => {
            let context = json!({
                "waiting": waiting,
                "left_behind": left_behind,
                "problem": problem,
                "shortest": MIN_PASSPHRASE,
            });
            let status = problem.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
            (status, app.page(visitor, "wallet/backup", context)).into_response()
        }
        Err(error) => Problem::from(error).page(app, visitor),
    }
}

/// The file, under a passphrase of its own.
pub(super) async fn make(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    StrictForm(form): StrictForm,
) -> Response {
    let visitor = match app.check_form(&headers, &form) {
        Ok(visitor) => visitor,
        Err(problem) => return problem.page(&app, &app.visitor(&headers)),
    };
    let passphrase = form.get("passphrase").unwrap_or_default();
    if form.get("again") != Some(passphrase) {
        return page(&app, &visitor, Some("differs")).await;
    }
    match written(&app, passphrase).await {
        Ok(file) => {
            let name = "attachment; filename=\"wallet-backup.vouchsafe\"";
            let headers = [
                (header::CONTENT_TYPE, "application/octet-stream"),
                (header::CONTENT_DISPOSITION, name),
            ];
            (headers, file).into_response()
        }
        Err(error) if error.code() == "backup_passphrase_weak" => {
            page(&app, &visitor, Some("weak")).await
        }
        Err(error) => Problem::from(error).page(&app, &visitor),
    }
}

async fn written(app: &App, passphrase: &str) -> Result<Vec<u8>, WalletError> {
    let (wallet, passphrase) = (app.wallet.core().clone(), passphrase.to_owned());
    let begin = move || wallet.backup(&passphrase, KdfParams::RECOMMENDED);
    let mut backup = off_thread(begin).await?;
    let mut file = Vec::new();
    while let Some(piece) = backup.next_piece().await? {
        file.extend_from_slice(&piece);
    }
    Ok(file)
}

/// Takes a file in: all of it, or nothing.
pub(super) async fn restore(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    form: Result<Multipart, MultipartRejection>,
) -> Response {
    let visitor = app.visitor(&headers);
    let read = match form {
        Ok(form) => read(&app, &headers, form).await,
        Err(_) => Err(Problem::backup()),
    };
    let (passphrase, file) = match read {
        Ok(read) => read,
        Err(problem) => return problem.page(&app, &visitor),
    };
    match taken(&app, passphrase, file).await {
        Ok(restored) => {
            let Restored {
                made_at: _,
                cards,
                unchecked,
                already_here,
                to_reissue,
                pending,
                left_behind,
                history,
            } = restored;
            let context = json!({
                "new": cards,
                "unchecked": unchecked,
                "here_already": already_here,
                "count_waiting": to_reissue,
                "pending": pending,
                "left_behind": left_behind,
                "history": history,
            });
            app.page(&visitor, "wallet/restored", context)
        }
        Err(error) => match error.code() {
            "backup_passphrase_wrong" => page(&app, &visitor, Some("wrong")).await,
            code if code.starts_with("backup_") || code == "kdf_out_of_bounds" => {
                page(&app, &visitor, Some("unreadable")).await
            }
            _ => Problem::from(error).page(&app, &visitor),
        },
    }
}

/// The fields in the order of the page; before the token nothing is read.
async fn read(
    app: &App,
    headers: &HeaderMap,
    mut form: Multipart,
) -> Result<(String, Vec<u8>), Problem> {
    let token = text(next(&mut form, "csrf").await?).await?;
    app.check_token(headers, &token)?;
    let passphrase = text(next(&mut form, "passphrase").await?).await?;
    let file = next(&mut form, "file").await?;
    let file = file.bytes().await.map_err(|_| Problem::backup())?;
    Ok((passphrase, file.to_vec()))
}

async fn next<'a>(form: &'a mut Multipart, name: &str) -> Result<Field<'a>, Problem> {
    let field = form.next_field().await.map_err(|_| Problem::backup())?;
    let field = field.filter(|field| field.name() == Some(name));
    field.ok_or_else(Problem::form)
}

async fn text(field: Field<'_>) -> Result<String, Problem> {
    field.text().await.map_err(|_| Problem::backup())
}

async fn taken(app: &App, passphrase: String, file: Vec<u8>) -> Result<Restored, WalletError> {
    let wallet = app.wallet.core().clone();
    off_thread(move || {
        let mut restoring = wallet.restore(&passphrase);
        restoring.push(&file)?;
        restoring.finish()
    })
    .await
}

/// Deriving a key takes a while, so it keeps no other request waiting.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WalletError> + Send + 'static,
) -> Result<T, WalletError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(ended) => std::panic::resume_unwind(ended.into_panic()),
    }
}

//! What every implementation of the ports must do. Each check starts from an empty store.

use std::future::Future;
use std::sync::Arc;

use super::audit as log;
use super::certificates;
use super::ending;
use super::entries;
use super::notices;
use super::policy;
use super::records;
use super::sample::Store;
use super::tokens;

/// Runs every check on its own empty store.
pub(super) async fn conforms<S: Store, F: Future<Output = Arc<S>>>(empty: impl Fn() -> F) {
    records::usernames_are_unique_in_a_tenant(&*empty().await).await;
    records::records_come_back_as_they_were_written(&*empty().await).await;
    records::foreign_tenants_see_nothing(&*empty().await).await;
    records::change_of_an_older_version_is_refused(&*empty().await).await;
    records::account_and_first_pat_are_created_together_or_not_at_all(&*empty().await).await;
    records::revocation_log_tells_every_change_in_order(&*empty().await).await;
    records::failed_change_leaves_no_audit_event(&*empty().await).await;
    records::time_mark_only_rises(&*empty().await).await;
    records::last_use_only_moves_forward(&*empty().await).await;
    records::two_writers_of_one_username_have_one_winner(empty().await).await;
    records::list_pages_by_username(&*empty().await).await;
    entries::conform(&empty).await;
    notices::conform(&empty).await;
    tokens::rotation_replaces_one_token_by_another(&*empty().await).await;
    tokens::rotation_shortens_what_was_issued_by_the_old(&*empty().await).await;
    tokens::sessions_are_not_listed_and_end_with_their_password(&*empty().await).await;
    tokens::oldest_of_too_many_sessions_ends(&*empty().await).await;
    tokens::search_counts_all_and_shows_a_page(&*empty().await).await;
    policy::policy_is_kept_and_told(&*empty().await).await;
    policy::suspended_roles_are_kept_and_told_as_none(&*empty().await).await;
    policy::quotas_count_active_tokens_alone(&*empty().await).await;
    ending::tokens_are_revoked_by_age_and_disuse(&*empty().await).await;
    ending::tokens_of_a_tenant_are_found_by_age_disuse_and_end(&*empty().await).await;
    ending::newest_five_uses_are_kept(&*empty().await).await;
    ending::end_of_a_token_is_told_once(&*empty().await).await;
    ending::token_is_purged_long_after_its_end(&*empty().await).await;
    log::events_are_found_by_tenant_kind_account_and_time(&*empty().await).await;
    log::outlet_is_one_holders_and_goes_on_where_it_was(&*empty().await).await;
    log::chain_holds_after_its_oldest_events_are_cut(&*empty().await).await;
    certificates::certificates_come_back_and_repeat(&*empty().await).await;
    certificates::key_is_one_accounts_for_good(&*empty().await).await;
    certificates::revocation_is_logged_once_for_each(&*empty().await).await;
    certificates::certificates_go_with_their_token_and_account(&*empty().await).await;
    certificates::crl_numbers_grow(&*empty().await).await;
    log::first_use_and_each_new_place_leave_an_event(&*empty().await).await;
    log::one_event_names_all_tokens_that_end_by_it(&*empty().await).await;
}
